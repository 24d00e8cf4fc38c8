//! The window before a kernel that refuses whatever it is told to.

use super::*;
use Call::{Clear, LoadNew, LoadOld, Resume};

/// Refuses the calls at these places of the whole sequence; each call takes a millisecond.
struct Refusing {
    refused: Vec<(usize, Errno)>,
    sent: Vec<Call>,
}

impl Kernel for Refusing {
    fn send(&mut self, call: Call) -> Result<(), Errno> {
        let at = self.sent.len();
        self.sent.push(call);
        self.refused.iter().find(|(place, _)| *place == at).map_or(Ok(()), |(_, errno)| Err(*errno))
    }

    fn now(&self) -> u64 {
        1_000_000 * self.sent.len() as u64
    }
}

fn passed(refused: &[(usize, Errno)]) -> (Ended, Duration, Vec<Call>) {
    let mut kernel = Refusing { refused: refused.to_vec(), sent: Vec::new() };
    let (ended, open) = pass(&mut kernel);
    (ended, open, kernel.sent)
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_table_is_loaded_before_the_device_is_suspended_and_that_is_one_call_with_its_resume() {
    assert_eq!(passed(&[]), (Ended::Swapped, MS, vec![LoadNew, Resume]));
}

#[test]
fn a_table_refused_at_load_leaves_the_running_one_and_an_empty_slot() {
    let (ended, open, sent) = passed(&[(0, Errno::EINVAL)]);
    assert_eq!((ended, open), (Ended::NotLoaded(Errno::EINVAL), Duration::ZERO));
    assert_eq!(sent, [LoadNew, Clear]);
}

#[test]
fn a_table_refused_at_resume_is_answered_by_the_old_one() {
    let (ended, open, sent) = passed(&[(1, Errno::EINVAL)]);
    assert_eq!((ended, open), (Ended::PutBack(Errno::EINVAL), 3 * MS));
    assert_eq!(sent, [LoadNew, Resume, LoadOld, Resume]);
}

#[test]
fn a_device_left_on_a_table_that_is_refused_gets_the_old_one() {
    let mut kernel = Refusing { refused: vec![(0, Errno::EINVAL)], sent: Vec::new() };
    assert_eq!(finish(&mut kernel).0, Ended::PutBack(Errno::EINVAL));
    assert_eq!(kernel.sent, [Resume, LoadOld, Resume]);
    let mut kernel = Refusing { refused: Vec::new(), sent: Vec::new() };
    assert_eq!(finish(&mut kernel).0, Ended::Swapped);
    assert_eq!(kernel.sent, [Resume]);
}

#[test]
fn the_way_back_is_tried_again_when_it_is_refused() {
    let (ended, _, sent) = passed(&[(1, Errno::EINVAL), (3, Errno::ENOMEM)]);
    assert_eq!(ended, Ended::PutBack(Errno::EINVAL));
    assert_eq!(sent, [LoadNew, Resume, LoadOld, Resume, LoadOld, Resume]);
}

#[test]
fn a_device_resumed_without_the_old_table_is_not_said_to_have_either() {
    let (ended, ..) = passed(&[(1, Errno::ENOMEM), (2, Errno::EPERM)]);
    assert_eq!(ended, Ended::Unclear(Errno::ENOMEM));
}

#[test]
fn whatever_is_refused_the_last_call_after_a_load_is_a_resume() {
    for refused in 0..256_usize {
        let places: Vec<_> =
            (0..8).filter(|place| refused >> place & 1 == 1).map(|at| (at, Errno::EIO)).collect();
        let (ended, _, sent) = passed(&places);
        assert!(sent.len() <= 8, "{sent:?}");
        if sent.get(1) != Some(&Clear) {
            assert_eq!(sent.last(), Some(&Resume), "{places:?}");
            let resumed = !places.iter().any(|(at, _)| *at + 1 == sent.len());
            assert_eq!(matches!(ended, Ended::Stuck { .. }), !resumed, "{places:?}: {sent:?}");
        }
    }
}

#[test]
fn a_request_is_sent_whole_with_its_length_whatever_stood_there() {
    assert!(Request::new(Change::Load, vec![0; 311]).is_none());
    let mut bytes = vec![7; 400];
    bytes[12..16].fill(0xff);
    let mut request = Request::new(Change::Load, bytes).expect("there is a header in it");
    assert_eq!(request.header[12..16], 400_u32.to_ne_bytes());
    let null = File::open("/dev/null").expect("every Linux has /dev/null");
    request.bytes.fill(9);
    assert_eq!(request.send(&null), Err(Errno::ENOTTY), "that is no control node");
    assert_eq!(request.bytes[..312], request.header, "the header is written anew each time");
}

#[test]
fn the_requests_have_the_numbers_of_linux_dm_ioctl_h() {
    let number = |nr| nix::request_code_readwrite!(0xfd, nr, HEADER_LEN);
    assert_eq!([number(9), number(10), number(6)], [0xc138_fd09, 0xc138_fd0a, 0xc138_fd06]);
}
