//! A tree in the one form that is printed, whichever of the accepted forms it was written in.
//!
//! Values stay as they were written, so that variables survive. Only trees that decode without errors come here.

use crate::shape::{Block, Field, Occurs, Says, Value, ValueForm};
use crate::syntax::tree::{Form, Kind, Node, Scalar};

/// The node of a whole file: what stands in the block of `mesh`, and what stands beside it. `None` without a mesh.
pub(crate) fn file<'t>(nodes: Vec<Node<'t>>, shape: &'static Block) -> Option<Node<'t>> {
    let (heads, beside): (Vec<Node>, Vec<Node>) = nodes.into_iter().partition(|node| node.key.value == shape.name);
    let mut head = heads.into_iter().next()?;
    if head.fields.is_empty() {
        head.fields = beside;
    }
    Some(block(head, shape))
}

/// A block: its name or main value as its argument, its fields in the order of the model.
fn block<'t>(mut node: Node<'t>, shape: &'static Block) -> Node<'t> {
    let main = shape.fields.iter().find(|field| matches!(field.occurs, Occurs::Name | Occurs::Main));
    if let Some(main) = main.filter(|_| node.arguments.is_empty()) {
        let said = node.fields.iter().position(|field| field.key.value == main.key);
        node.arguments = said.map_or_else(Vec::new, |index| node.fields.remove(index).arguments);
    }
    node.form = Form::Plain;
    if let Some((Says::Value(value), said)) = main.map(|main| main.says).zip(node.arguments.first_mut()) {
        *said = scalar(said.clone(), value);
    }
    let mut said = std::mem::take(&mut node.fields);
    for field in shape.keys().into_iter().filter(|field| !matches!(field.occurs, Occurs::Name | Occurs::Main)) {
        let (here, others) = said.into_iter().partition(|node| node.key.value == field.key);
        said = others;
        let here: Vec<Node> = here;
        node.fields.extend(self::field(here.into_iter().filter(|node| node.form != Form::EmptyList).collect(), field));
    }
    node
}

fn field<'t>(nodes: Vec<Node<'t>>, field: &'static Field) -> Vec<Node<'t>> {
    match (field.says, field.occurs) {
        (Says::Value(value), _) => nodes.into_iter().map(|node| with_values(node, value)).collect(),
        (Says::Values(value), _) => {
            let mut nodes = nodes.into_iter();
            let Some(mut first) = nodes.next() else { return Vec::new() };
            first.arguments.extend(nodes.flat_map(|node| node.arguments));
            first.arguments = first.arguments.into_iter().flat_map(|said| parts(said, value)).collect();
            first.form = Form::Plain;
            vec![with_values(first, value)]
        }
        (Says::Block(inner), Occurs::Named) => nodes.into_iter().flat_map(|node| named(node, inner)).collect(),
        (Says::Block(inner), _) => nodes.into_iter().map(|node| block(node, inner)).collect(),
        (Says::Entries, _) => nodes.into_iter().filter(|node| !node.fields.is_empty()).map(entries).collect(),
        (Says::Flag | Says::Inline(_) | Says::OneOf(_), _) => nodes,
    }
}

/// As the decoder finds named things: `service "a" "b"`, `{name: a, …}` or `{a: {…}, b: {…}}`.
fn named<'t>(node: Node<'t>, shape: &'static Block) -> Vec<Node<'t>> {
    let name = shape.fields.iter().find(|field| field.occurs == Occurs::Name).map_or("name", |field| field.key);
    if !node.arguments.is_empty() {
        let one =
            |name: &Scalar<'t>| Node { arguments: vec![name.clone()], fields: node.fields.clone(), ..node.clone() };
        return node.arguments.iter().map(one).map(|node| block(node, shape)).collect();
    }
    if node.form == Form::ListItem || node.names_itself(name) {
        return vec![block(node, shape)];
    }
    let keyed = |field: Node<'t>| {
        let name = Scalar { kind: Kind::Text, text: field.key.value, span: field.key.span };
        block(Node { key: node.key.clone(), arguments: vec![name], fields: field.fields, form: Form::Plain }, shape)
    };
    node.fields.into_iter().map(keyed).collect()
}

fn entries(mut node: Node<'_>) -> Node<'_> {
    for said in node.fields.iter_mut().flat_map(|entry| &mut entry.arguments) {
        said.kind = Kind::Text;
    }
    node
}

fn with_values<'t>(mut node: Node<'t>, value: &Value) -> Node<'t> {
    node.arguments = node.arguments.into_iter().map(|said| scalar(said, value)).collect();
    node
}

/// The values of one text. Commas in a variable's text, which is not known here, stay for the reader.
fn parts<'t>(said: Scalar<'t>, value: &Value) -> Vec<Scalar<'t>> {
    if said.kind != Kind::Text || !said.text.contains(',') || said.text.contains("${") || !value.commas {
        return vec![said];
    }
    let is_number = matches!(value.form, ValueForm::Integer(..));
    let part = |text: &str| {
        let number = text.parse().ok().filter(|_| is_number);
        Scalar { kind: number.map_or(Kind::Text, Kind::Integer), text: text.to_owned().into(), span: said.span }
    };
    said.text.split(',').map(str::trim).map(part).collect()
}

/// A value whose text means the same in both syntaxes: each has numbers that the other one does not know.
fn scalar<'t>(said: Scalar<'t>, value: &Value) -> Scalar<'t> {
    match (said.kind, value.form) {
        (Kind::Integer(_) | Kind::Decimal | Kind::Bool(_), ValueForm::AnyText) => Scalar { kind: Kind::Text, ..said },
        (Kind::Integer(number), ValueForm::Integer(..) | ValueForm::NumberOrText(_)) => {
            Scalar { text: number.to_string().into(), ..said }
        }
        (Kind::Bool(value), _) => Scalar { text: value.to_string().into(), ..said },
        _ => said,
    }
}
