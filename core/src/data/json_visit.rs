//! One JSON value, taken apart to scalars with a place for each, without a tree of it.

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{collections::HashMap, fmt};

/// A value without parts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Real(f64),
    Text(&'a str),
}

/// The place of a value within a record.
pub(super) type Node = usize;
/// The record itself.
pub(super) const ROOT: Node = 0;

/// Takes what a record is made of. Errors are the text of a message.
pub(super) trait Sink {
    /// The place of member `key` of the object at `node`; `None` to leave it out.
    fn member(&mut self, node: Node, key: &str) -> Result<Option<Node>, String>;
    /// The place of element `i` of the array that the record is; `None` to leave it out.
    fn element(&mut self, i: usize) -> Result<Option<Node>, String>;
    /// The number of elements of the array that the record is.
    fn width(&mut self, n: usize) -> Result<(), String>;
    /// An array inside a record, which is no scalar.
    fn nested(&mut self, node: Node);
    /// A value.
    fn scalar(&mut self, node: Node, scalar: Scalar<'_>) -> Result<(), String>;
}

/// Takes the value at a place.
pub(super) struct At<'s, S: Sink> {
    pub(super) sink: &'s mut S,
    pub(super) node: Node,
}

impl<S: Sink> At<'_, S> {
    fn put<E: de::Error>(self, scalar: Scalar<'_>) -> Result<(), E> {
        self.sink.scalar(self.node, scalar).map_err(E::custom)
    }
}

impl<'de, S: Sink> DeserializeSeed<'de> for At<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for At<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.put(Scalar::Null)
    }

    fn visit_bool<E: de::Error>(self, v: bool) -> Result<(), E> {
        self.put(Scalar::Bool(v))
    }

    fn visit_i64<E: de::Error>(self, v: i64) -> Result<(), E> {
        self.put(Scalar::Integer(v))
    }

    fn visit_u64<E: de::Error>(self, v: u64) -> Result<(), E> {
        self.put(i64::try_from(v).map_or(Scalar::Real(v as f64), Scalar::Integer))
    }

    fn visit_f64<E: de::Error>(self, v: f64) -> Result<(), E> {
        self.put(Scalar::Real(v))
    }

    fn visit_str<E: de::Error>(self, v: &str) -> Result<(), E> {
        self.put(Scalar::Text(v))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { sink, node } = self;
        while let Some(child) = map.next_key_seed(Key { sink, node })? {
            match child {
                Some(node) => map.next_value_seed(At { sink, node })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { sink, node } = self;
        if node != ROOT {
            sink.nested(node);
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let mut n = 0;
        loop {
            let more = match sink.element(n).map_err(de::Error::custom)? {
                Some(node) => seq.next_element_seed(At { sink, node: node.max(1) })?.is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                return sink.width(n).map_err(de::Error::custom);
            }
            n += 1;
        }
    }
}

/// Takes a key and finds its place.
struct Key<'s, S: Sink> {
    sink: &'s mut S,
    node: Node,
}

impl<'de, S: Sink> DeserializeSeed<'de> for Key<'_, S> {
    type Value = Option<Node>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Node>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<S: Sink> Visitor<'_> for Key<'_, S> {
    type Value = Option<Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Option<Node>, E> {
        self.sink.member(self.node, key).map_err(E::custom)
    }
}

/// The places there are, found by the keys on the way to them.
#[derive(Clone, Debug)]
pub(super) struct Places {
    nodes: Vec<Place>,
}

#[derive(Clone, Debug, Default)]
struct Place {
    name: String,
    children: HashMap<String, Node>,
    /// Keys in order of first appearance: records mostly repeat it.
    order: Vec<(String, Node)>,
    next: usize,
}

impl Places {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Place::default()] }
    }

    /// The number of places.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// `a.b` for member b of member a.
    pub(super) fn name(&self, node: Node) -> &str {
        self.nodes.get(node).map_or("", |n| &n.name)
    }

    /// The place of a member that is known.
    pub(super) fn find(&mut self, node: Node, key: &str) -> Option<Node> {
        let place = self.nodes.get_mut(node)?;
        for at in [place.next, 0] {
            if let Some((name, child)) = place.order.get(at)
                && name == key
            {
                place.next = at + 1;
                return Some(*child);
            }
        }
        place.children.get(key).copied()
    }

    /// The place of a member, new if need be.
    pub(super) fn add(&mut self, node: Node, key: &str) -> Node {
        if let Some(found) = self.find(node, key) {
            return found;
        }
        let new = self.nodes.len();
        let name = match self.name(node) {
            "" => key.to_owned(),
            before => format!("{before}.{key}"),
        };
        self.nodes.push(Place { name, ..Place::default() });
        if let Some(place) = self.nodes.get_mut(node) {
            place.children.insert(key.to_owned(), new);
            place.order.push((key.to_owned(), new));
            place.next = place.order.len();
        }
        new
    }
}
