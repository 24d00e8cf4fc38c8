//! How Docker's last transaction stands to the pool's own counter (`formats.md` 1.2.3).
//!
//! Knows both numbers and nothing of where they come from.

use super::DockerFacts;
use super::devices::Transaction;
use crate::ids::ThinId;
use crate::model::Pool;
use crate::text::Printable;

/// The relation of `transaction-metadata` to the pool's transaction id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionRelation {
    /// There is no such file: nothing was ever open, or a rollback removed it.
    Nothing,
    /// Equal: the last transaction was closed.
    Closed,
    /// Docker is ahead: a transaction is open now, or the daemon died within it. At its next
    /// start the daemon deletes this device.
    Open {
        /// The device's hash; empty for the base device.
        hash: Printable,
        /// Its id.
        device_id: Option<ThinId>,
        /// By how much; anything but 1 is no state that docker itself leaves.
        ahead: u64,
    },
    /// The pool is ahead: somebody else moved its counter, or docker's folder is older than the
    /// pool.
    Behind {
        /// By how much.
        behind: u64,
    },
}

impl TransactionRelation {
    /// Compares docker's last transaction with the pool's transaction id.
    pub fn of(transaction: Option<&Transaction>, pool_transaction_id: u64) -> Self {
        let Some(transaction) = transaction else { return Self::Nothing };
        match transaction.open_id.checked_sub(pool_transaction_id) {
            Some(0) => Self::Closed,
            Some(ahead) => Self::Open {
                hash: transaction.hash.clone(),
                device_id: transaction.device_id,
                ahead,
            },
            None => Self::Behind { behind: pool_transaction_id - transaction.open_id },
        }
    }
}

/// The relation for one pool of one root; `None` where either number was not seen.
pub fn transaction_relation(
    facts: &DockerFacts,
    root_index: usize,
    pool: &Pool,
) -> Option<TransactionRelation> {
    let metadata = &facts.roots.get(root_index)?.metadata;
    let pool_transaction_id = pool.status()?.transaction_id;
    // without the folder, a missing file says nothing
    let seen = metadata.seen && !metadata.transaction_unreadable;
    seen.then(|| TransactionRelation::of(metadata.transaction.as_ref(), pool_transaction_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_and_not_the_file_s_presence() {
        let last = |open_id| Transaction { open_id, hash: "abc".into(), device_id: ThinId::new(9) };
        let relation = |open_id| TransactionRelation::of(Some(&last(open_id)), 12);
        assert_eq!(TransactionRelation::of(None, 12), TransactionRelation::Nothing);
        assert_eq!(relation(12), TransactionRelation::Closed);
        assert_eq!(
            relation(13),
            TransactionRelation::Open { hash: "abc".into(), device_id: ThinId::new(9), ahead: 1 }
        );
        assert_eq!(relation(3), TransactionRelation::Behind { behind: 9 });
    }
}
