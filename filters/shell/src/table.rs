//! Live streams by their numbers, which Envoy counts upwards.

use alloc::vec::Vec;

/// Numbers that follow each other fall into different places.
const PLACES: usize = 256;

/// Values by numbers. Each place holds few of them, for only streams that live at the same time are in it.
#[derive(Debug)]
pub(crate) struct Table<V> {
    places: Vec<Vec<(u32, V)>>,
}

impl<V> Table<V> {
    pub(crate) const fn new() -> Table<V> {
        Table { places: Vec::new() }
    }

    pub(crate) fn insert(&mut self, number: u32, value: V) {
        if self.places.is_empty() {
            self.places.resize_with(PLACES, Vec::new);
        }
        self.remove(number);
        if let Some(place) = self.place(number) {
            place.push((number, value));
        }
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut V> {
        let found = self.place(number)?.iter_mut().find(|(known, _)| *known == number)?;
        Some(&mut found.1)
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<V> {
        let place = self.place(number)?;
        let position = place.iter().position(|(known, _)| *known == number)?;
        Some(place.swap_remove(position).1)
    }

    fn place(&mut self, number: u32) -> Option<&mut Vec<(u32, V)>> {
        let index = usize::try_from(number).ok()?.checked_rem(PLACES)?;
        self.places.get_mut(index)
    }
}

#[cfg(test)]
mod tests {
    use super::{PLACES, Table};

    #[test]
    fn numbers_in_one_place_are_told_apart() {
        let far = u32::try_from(PLACES).expect("a small number");
        let mut table = Table::new();
        table.insert(1, "one");
        table.insert(1 + far, "another");
        assert_eq!(table.get_mut(1), Some(&mut "one"));
        assert_eq!(table.remove(1), Some("one"));
        assert_eq!(table.remove(1), None);
        assert_eq!(table.get_mut(1 + far), Some(&mut "another"));
    }

    #[test]
    fn an_empty_table_has_nothing() {
        let mut table: Table<u8> = Table::new();
        assert_eq!(table.get_mut(0), None);
        assert_eq!(table.remove(u32::MAX), None);
    }
}
