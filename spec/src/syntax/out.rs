//! What is printed: items with their values, before either syntax gives them a form.

/// One thing to say.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(super) key: String,
    pub(super) shape: Shape,
    /// KDL's argument; in YAML the key of a named thing, else the field of this name.
    pub(super) main: Option<(&'static str, Value)>,
    pub(super) values: Vec<(String, Value)>,
    pub(super) items: Vec<Item>,
}

/// How an item stands among its siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Said once, its values side by side.
    Plain,
    /// Said once, each value on its own line.
    Block,
    /// Said again and again, with different names.
    Named,
    /// Said again and again; the order matters.
    Listed,
}

/// A single value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Number(String),
    True,
}

impl Item {
    pub(crate) fn new(key: &str, shape: Shape) -> Self {
        Self { key: key.to_owned(), shape, main: None, values: Vec::new(), items: Vec::new() }
    }

    pub(crate) fn main(mut self, key: &'static str, text: impl Into<String>) -> Self {
        self.main = Some((key, Value::Text(text.into())));
        self
    }

    pub(crate) fn main_number(mut self, key: &'static str, number: impl ToString) -> Self {
        self.main = Some((key, Value::Number(number.to_string())));
        self
    }

    /// Nothing is said of what is absent.
    pub(crate) fn text(mut self, key: &str, text: Option<impl Into<String>>) -> Self {
        self.values.extend(text.map(|text| (key.to_owned(), Value::Text(text.into()))));
        self
    }

    pub(crate) fn number(mut self, key: &str, number: Option<impl ToString>) -> Self {
        self.values.extend(number.map(|number| (key.to_owned(), Value::Number(number.to_string()))));
        self
    }

    pub(crate) fn yes(mut self, key: &str) -> Self {
        self.values.push((key.to_owned(), Value::True));
        self
    }

    pub(crate) fn push(&mut self, item: Item) {
        self.items.push(item);
    }

    pub(crate) fn extend(&mut self, items: impl IntoIterator<Item = Item>) {
        self.items.extend(items);
    }
}
