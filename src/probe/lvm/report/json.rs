//! Walks down a report's JSON to its rows, whatever stands beside them. Knows where rows stand and
//! how values become text; nothing of what a row says.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Column, Row, Rows};

#[derive(Clone, Copy)]
pub(super) enum Group {
    Vg,
    Pv,
    Lv,
    Seg,
}

/// Where in a report a value stands: `{"report": [{"lv": [{row}, …], …}, …], …}`.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Top,
    Reports,
    Report,
    Rows(Group),
    Row(Group),
}

pub(super) struct Level<'a> {
    pub(super) rows: &'a mut Rows,
    pub(super) place: Place,
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // whatever stands here is skipped when it is of the wrong type
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of an LVM report")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if let Place::Row(group) = self.place {
            let mut row = Row([const { None }; Column::COUNT]);
            while let Some(key) = map.next_key::<Text>()? {
                match key.0.as_deref().and_then(Column::named) {
                    Some(column) => row.0[column as usize] = map.next_value::<Text>()?.0,
                    None => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            self.rows.take(group, &mut row);
            return Ok(());
        }
        while let Some(key) = map.next_key::<Text>()? {
            let place = match (self.place, key.0.as_deref()) {
                (Place::Top, Some("report")) => Place::Reports,
                (Place::Report, Some("vg")) => Place::Rows(Group::Vg),
                (Place::Report, Some("pv")) => Place::Rows(Group::Pv),
                (Place::Report, Some("lv")) => Place::Rows(Group::Lv),
                (Place::Report, Some("seg")) => Place::Rows(Group::Seg),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            map.next_value_seed(Level { rows: &mut *self.rows, place })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let place = match self.place {
            Place::Reports => Place::Report,
            Place::Rows(group) => Place::Row(group),
            _ => {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(());
            }
        };
        while seq.next_element_seed(Level { rows: &mut *self.rows, place })?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Any value as text: numbers as digits, lists joined by commas, `null` as nothing.
struct Text(Option<String>);

impl<'de> serde::Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field of an LVM report")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Some(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Text, E> {
        Ok(Text(Some(text)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
        Ok(Text(Some(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
        Ok(Text(Some(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
        Ok(Text(Some(number.to_string())))
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Text, E> {
        Ok(Text(Some(u8::from(yes).to_string())))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text, A::Error> {
        let mut items = Vec::new();
        while let Some(Text(item)) = seq.next_element()? {
            items.extend(item);
        }
        Ok(Text(Some(items.join(","))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}
