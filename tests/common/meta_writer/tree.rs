//! The mapping tree of a device as a test keeps it.

use std::rc::Rc;

/// A persistent tree: writing to it copies the path and shares the rest, as a snapshot does.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    Leaf(Vec<(u64, u64)>),
    Inner(Vec<(u64, Rc<Tree>)>),
}

impl Tree {
    pub(crate) fn empty() -> Rc<Self> {
        Rc::new(Self::Leaf(Vec::new()))
    }

    pub(crate) fn get(&self, key: u64) -> Option<u64> {
        match self {
            Self::Leaf(entries) => {
                entries.binary_search_by_key(&key, |e| e.0).ok().map(|at| entries[at].1)
            }
            Self::Inner(entries) => {
                let at = entries.partition_point(|e| e.0 <= key).checked_sub(1)?;
                entries[at].1.get(key)
            }
        }
    }

    pub(crate) fn each(&self, take: &mut dyn FnMut(u64, u64)) {
        match self {
            Self::Leaf(entries) => entries.iter().for_each(|(k, v)| take(*k, *v)),
            Self::Inner(entries) => entries.iter().for_each(|(_, below)| below.each(take)),
        }
    }

    fn low(&self) -> u64 {
        match self {
            Self::Leaf(entries) => entries.first().map_or(0, |e| e.0),
            Self::Inner(entries) => entries.first().map_or(0, |e| e.0),
        }
    }

    /// The tree with one more mapping; nodes hold at most `fan` entries.
    pub(crate) fn with(self: &Rc<Self>, key: u64, value: u64, fan: usize) -> Rc<Self> {
        let mut parts = self.inserted(key, value, fan);
        if parts.len() == 1 {
            return parts.remove(0);
        }
        Rc::new(Self::Inner(parts.into_iter().map(|part| (part.low(), part)).collect()))
    }

    fn inserted(&self, key: u64, value: u64, fan: usize) -> Vec<Rc<Self>> {
        match self {
            Self::Leaf(entries) => {
                let mut entries = entries.clone();
                match entries.binary_search_by_key(&key, |e| e.0) {
                    Ok(at) => entries[at].1 = value,
                    Err(at) => entries.insert(at, (key, value)),
                }
                halves(entries, fan).into_iter().map(|half| Rc::new(Self::Leaf(half))).collect()
            }
            Self::Inner(entries) => {
                let at = entries.partition_point(|e| e.0 <= key).saturating_sub(1);
                let new = entries[at].1.inserted(key, value, fan);
                let mut entries = entries.clone();
                let low = entries[at].0.min(key);
                let new = new.into_iter().enumerate();
                let new = new.map(|(n, part)| (if n == 0 { low } else { part.low() }, part));
                entries.splice(at..=at, new.collect::<Vec<_>>());
                halves(entries, fan).into_iter().map(|half| Rc::new(Self::Inner(half))).collect()
            }
        }
    }

    /// The tree without a mapping; nodes that run empty go, the others are not joined.
    pub(crate) fn without(self: &Rc<Self>, key: u64) -> Rc<Self> {
        self.removed(key).unwrap_or_else(Self::empty)
    }

    fn removed(self: &Rc<Self>, key: u64) -> Option<Rc<Self>> {
        if self.get(key).is_none() {
            return Some(Rc::clone(self));
        }
        match &**self {
            Self::Leaf(entries) => {
                let left: Vec<_> = entries.iter().filter(|e| e.0 != key).copied().collect();
                (!left.is_empty()).then(|| Rc::new(Self::Leaf(left)))
            }
            Self::Inner(entries) => {
                let at = entries.partition_point(|e| e.0 <= key) - 1;
                let mut left = entries.clone();
                match entries[at].1.removed(key) {
                    Some(below) => left[at].1 = below,
                    None => drop(left.remove(at)),
                }
                (!left.is_empty()).then(|| Rc::new(Self::Inner(left)))
            }
        }
    }
}

fn halves<T>(mut entries: Vec<T>, fan: usize) -> Vec<Vec<T>> {
    if entries.len() <= fan {
        return vec![entries];
    }
    let upper = entries.split_off(entries.len() / 2);
    vec![entries, upper]
}
