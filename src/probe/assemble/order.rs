//! Parents before children, and no way round in circles.

use super::build::ix;
use crate::model::{Node, NodeIx};

/// Sorts nodes so that each stands behind all it rests on, otherwise in the order they were
/// made, and gives for each old place its new one. A device cannot rest on itself: where broken
/// facts say so, the last link of the circle is left out.
pub(super) fn sort(nodes: &mut Vec<Node>) -> Vec<NodeIx> {
    let order = by_descent(nodes);
    let mut place = vec![NodeIx(0); nodes.len()];
    for (new, old) in order.iter().enumerate() {
        if let Some(slot) = place.get_mut(*old) {
            *slot = NodeIx(ix(new));
        }
    }
    let mut old: Vec<Option<Node>> = std::mem::take(nodes).into_iter().map(Some).collect();
    nodes.extend(order.iter().filter_map(|at| old.get_mut(*at).and_then(Option::take)));
    for node in nodes {
        for parent in &mut node.parents {
            if let Some(new) = place.get(parent.0 as usize) {
                *parent = *new;
            }
        }
    }
    place
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    Open,
    Done,
}

/// Depth first, with a stack of our own: hostile facts may be a chain of any length.
fn by_descent(nodes: &mut [Node]) -> Vec<usize> {
    let count = nodes.len();
    for node in nodes.iter_mut() {
        node.parents.retain(|parent| (parent.0 as usize) < count);
    }
    let mut seen = vec![Seen::Not; count];
    let mut order = Vec::with_capacity(count);
    let mut stack: Vec<(usize, usize)> = Vec::new();
    for start in 0..count {
        if seen.get(start) != Some(&Seen::Not) {
            continue;
        }
        stack.push((start, 0));
        while let Some((at, next)) = stack.pop() {
            mark(&mut seen, at, Seen::Open);
            let Some(node) = nodes.get_mut(at) else { continue };
            let Some(parent) = node.parents.get(next).map(|parent| parent.0 as usize) else {
                mark(&mut seen, at, Seen::Done);
                order.push(at);
                continue;
            };
            match seen.get(parent) {
                Some(Seen::Open) => {
                    node.parents.remove(next);
                    stack.push((at, next));
                }
                Some(Seen::Not) => stack.extend([(at, next), (parent, 0)]),
                Some(Seen::Done) | None => stack.push((at, next.saturating_add(1))),
            }
        }
    }
    order
}

fn mark(seen: &mut [Seen], at: usize, state: Seen) {
    if let Some(slot) = seen.get_mut(at) {
        *slot = state;
    }
}

#[cfg(test)]
mod tests {
    use super::super::build::node;
    use super::*;
    use crate::model::Kind;
    use proptest::prelude::*;

    fn nodes(parents: &[Vec<u32>]) -> Vec<Node> {
        let make = |(at, parents): (usize, &Vec<u32>)| {
            let mut node = node(Kind::Other, &at.to_string(), "x".into());
            node.parents = parents.iter().map(|p| NodeIx(*p)).collect();
            node
        };
        parents.iter().enumerate().map(make).collect()
    }

    fn names(nodes: &[Node]) -> Vec<&str> {
        nodes.iter().map(|node| node.id.as_str().trim_start_matches("other:")).collect()
    }

    #[test]
    fn each_node_stands_behind_what_it_rests_on() {
        let mut nodes = nodes(&[vec![3], vec![0, 2], vec![], vec![]]);
        let place = sort(&mut nodes);
        assert_eq!(names(&nodes), ["3", "0", "2", "1"]);
        assert_eq!(place.iter().map(|p| p.0).collect::<Vec<_>>(), [1, 3, 2, 0]);
        assert_eq!(nodes[3].parents, [NodeIx(1), NodeIx(2)]);
    }

    #[test]
    fn a_circle_is_opened_and_loses_no_node() {
        let mut circle = nodes(&[vec![1], vec![2], vec![0]]);
        sort(&mut circle);
        assert_eq!(names(&circle), ["2", "1", "0"]);
        assert!(circle[0].parents.is_empty());
        let mut own = nodes(&[vec![0], vec![9]]);
        sort(&mut own);
        assert!(own.iter().all(|node| node.parents.is_empty()));
    }

    #[test]
    fn a_chain_of_any_length_does_not_run_out_of_stack() {
        let count = 200_000;
        let chain: Vec<Vec<u32>> =
            (0..count).map(|at| if at + 1 < count { vec![at + 1] } else { vec![] }).collect();
        let mut nodes = nodes(&chain);
        sort(&mut nodes);
        assert_eq!(nodes.len(), 200_000);
        assert_eq!(nodes[0].id.as_str(), "other:199999");
    }

    proptest! {
        #[test]
        fn parents_come_first_whatever_the_links(
            links in proptest::collection::vec(proptest::collection::vec(0_u32..14, 0..4), 0..12),
        ) {
            let mut nodes = nodes(&links);
            sort(&mut nodes);
            prop_assert_eq!(nodes.len(), links.len());
            for (at, node) in nodes.iter().enumerate() {
                prop_assert!(node.parents.iter().all(|parent| (parent.0 as usize) < at));
            }
        }
    }
}
