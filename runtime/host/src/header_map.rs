//! A request's headers as Envoy keeps them.

use policy::{join_repeat, joins_repeats};

/// Headers in order. Names are in lower case; the repeats of some are joined with a comma.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeaderMap {
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    keeps_repeats: bool,
}

impl HeaderMap {
    /// A response's headers: repeats are kept apart.
    pub(crate) fn of_response(headers: &[(Vec<u8>, Vec<u8>)]) -> HeaderMap {
        let mut map = HeaderMap { headers: Vec::new(), keeps_repeats: true };
        headers.iter().for_each(|(name, value)| map.add(name, value));
        map
    }

    /// The first value: where repeats are kept apart, a filter that asks for one value does not
    /// see the others.
    pub(crate) fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let name = name.to_ascii_lowercase();
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_slice())
    }

    pub(crate) fn add(&mut self, name: &[u8], value: &[u8]) {
        let name = name.to_ascii_lowercase();
        if !self.keeps_repeats
            && joins_repeats(&name)
            && let Some((_, joined)) = self.headers.iter_mut().find(|(known, _)| *known == name)
        {
            join_repeat(joined, value);
            return;
        }
        self.headers.push((name, value.to_vec()));
    }

    pub(crate) fn replace(&mut self, name: &[u8], value: &[u8]) {
        self.remove(name);
        self.add(name, value);
    }

    pub(crate) fn remove(&mut self, name: &[u8]) {
        let name = name.to_ascii_lowercase();
        self.headers.retain(|(known, _)| *known != name);
    }

    pub(crate) fn pairs(&self) -> &[(Vec<u8>, Vec<u8>)] {
        &self.headers
    }

    /// The sum of all names and values, which is not the size of the encoded map.
    pub(crate) fn byte_size(&self) -> usize {
        self.headers.iter().map(|(name, value)| name.len() + value.len()).sum()
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for HeaderMap {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> HeaderMap {
        let mut map = HeaderMap::default();
        for (name, value) in headers {
            map.add(name.as_ref(), value.as_ref());
        }
        map
    }
}
