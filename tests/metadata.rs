//! A pool's metadata on its way through the program: a device or file asked for blocks, recorded,
//! replayed, and printed, against `thin_ls`.

#[path = "common/meta_writer.rs"]
mod meta_writer;
#[path = "common/tools.rs"]
mod tools;

use std::process::Command;
use std::sync::Mutex;

use meta_writer::Pool;
use thinscope::ids::ThinId;
use thinscope::model::block::{BlockQuestion, SpaceSort};
use thinscope::probe::metadata::{
    Asked, Depth, Laid, MetadataSeen, PoolPlace, Span, Ways, read_metadata,
};
use thinscope::sys::capture::{Recorder, Recording, Sink};
use thinscope::sys::{Answer, FailKind, HostPath, Medium, Question, Raw, ReadHost, Reply, Source};
use thinscope::units::DataBlocks;

fn id(number: u64) -> ThinId {
    ThinId::new(number).expect("a small id")
}

/// A base of 300 blocks, a snapshot that changes 40 of them and adds 10, and one of that.
fn pool() -> Pool {
    let mut pool = Pool::new(4000, 8);
    pool.create(1);
    (0..300).for_each(|block| pool.write(1, block));
    pool.snapshot(2, 1);
    (100..140).chain(1000..1010).for_each(|block| pool.write(2, block));
    pool.snapshot(7, 2);
    pool.write(7, 5000);
    pool
}

/// Media by their paths, and what sysfs says of devices at each time it is asked.
struct Media(Vec<(Medium, Vec<u8>)>, Sysfs);

type Sysfs = Option<Box<dyn Fn(&str, usize) -> String + Sync>>;

thread_local! {
    /// How often time was let pass.
    static WAITED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl ReadHost for Media {
    fn wait(&self, time: std::time::Duration) {
        assert!(time.as_millis() <= 500, "a person waits");
        WAITED.set(WAITED.get() + 1);
    }

    fn ask(&self, question: &Question) -> Answer {
        let medium = |of: &Medium| self.0.iter().find(|(known, _)| known == of).map(|(_, b)| b);
        if let (Some(sysfs), Question::File { path, .. }) = (&self.1, question) {
            let path = String::from_utf8_lossy(&path.0.0).into_owned();
            return Answer::ok(Reply::Bytes(Raw(sysfs(&path, WAITED.get()).into_bytes())));
        }
        let reply = match question {
            Question::SizeOf(of) => medium(of).map(|bytes| Reply::Number(bytes.len() as u64)),
            Question::Read { of, offset, length } => medium(of).and_then(|bytes| {
                let from = usize::try_from(*offset).ok()?;
                let part = bytes.get(from..from + *length as usize)?;
                Some(Reply::Bytes(Raw(part.to_vec())))
            }),
            _ => None,
        };
        reply.map_or_else(|| Answer::failed(FailKind::NotFound, "there is none"), Answer::ok)
    }
}

struct Notes(Mutex<Recording>);

impl Sink for Notes {
    fn answered(&self, _: Source, question: &Question, answer: &Answer) {
        let mut recording = self.0.lock().expect("no thread panicked");
        recording.push(question.clone(), answer.clone());
    }
}

fn medium(name: &str) -> Medium {
    Medium::File(HostPath::new(format!("/{name}")))
}

fn whole() -> Laid {
    Laid::whole(medium("m"), None)
}

fn asked(at: Laid, depth: Depth, one_by_one: bool) -> Asked {
    let parents = vec![(id(2), id(1)), (id(7), id(2))];
    let place = PoolPlace { parents, ..PoolPlace::new("p".to_owned(), Ok(at)) };
    let (block, reserve, freed) = (None, None, Vec::new());
    Asked { places: vec![place], depth, block, one_by_one, reserve, freed }
}

fn host() -> Media {
    Media(vec![(medium("m"), pool().image(400))], None)
}

fn record(depth: Depth) -> Recording {
    let (host, notes) = (host(), Notes(Mutex::new(Recording::new(Source::Metadata))));
    let recorder = Recorder::new(&host, Source::Metadata, &notes);
    read_metadata(&recorder, &asked(whole(), depth, true), Ways::default());
    notes.0.into_inner().expect("no thread panicked")
}

fn replay(recording: &Recording, depth: Depth) -> MetadataSeen {
    read_metadata(recording, &asked(whole(), depth, true), Ways::default())
}

#[test]
fn figures_are_what_was_written_with_deltas_to_the_parents() {
    let seen = read_metadata(&host(), &asked(whole(), Depth::Mappings, false), Ways::default());
    let read = seen.of("p").expect("it was read");
    let figures = |number| {
        let device = read.device(id(number)).expect("it is there");
        (device.mapped.get(), read.exclusive(id(number)).map(DataBlocks::get))
    };
    // of the base the 40 that were changed below it are its own; 7 has one block of its own
    assert_eq!(
        [figures(1), figures(2), figures(7)],
        [(300, Some(40)), (310, Some(0)), (311, Some(1))]
    );
    assert_eq!(read.delta(id(2), id(1)).map(DataBlocks::get), Some(50));
    assert_eq!(read.delta(id(7), id(2)).map(DataBlocks::get), Some(1));
    let freed = |ids: &[u64]| {
        let ids: Vec<_> = ids.iter().map(|number| id(*number)).collect();
        read.freed_by(&ids).expect("it is known who uses what").blocks.get()
    };
    assert_eq!((freed(&[2]), freed(&[2, 7]), freed(&[1, 2, 7])), (0, 51, 351));
    assert_eq!(read.data.used.get(), 351);
}

#[test]
fn a_recording_says_the_same_as_the_host_did() {
    let live = read_metadata(&host(), &asked(whole(), Depth::Mappings, false), Ways::default());
    assert_eq!(replay(&record(Depth::Mappings), Depth::Mappings), live);
    let details = read_metadata(&host(), &asked(whole(), Depth::Details, false), Ways::default());
    assert_eq!(replay(&record(Depth::Mappings), Depth::Details), details);
    assert_ne!(live, details);
}

#[test]
fn a_recording_of_details_alone_says_that_it_holds_no_mappings() {
    let seen = replay(&record(Depth::Details), Depth::Mappings);
    let read = seen.of("p").expect("its details are there");
    assert_eq!((read.devices.len(), read.mappings.is_none(), read.damage_count), (3, true, 0));
    let gaps: Vec<_> = seen.gaps().collect();
    assert!(gaps.len() == 1 && gaps[0].why.as_str().contains("not in the recording"), "{gaps:?}");
    let nothing = replay(&Recording::new(Source::Metadata), Depth::Details);
    assert!(nothing.pools.is_empty(), "a recording without any of it says nothing of it");
}

#[test]
fn a_volume_is_read_through_its_extents() {
    let image = pool().image(400);
    let (first, second) = image.split_at(4096 * 100);
    let gap = vec![0xff; 8192];
    let parts =
        vec![(medium("a"), [&gap[..], second].concat()), (medium("b"), [first, &gap[..]].concat())];
    let media = Media(parts, None);
    let span = |length: usize, at| Span { length: length as u64, stripe: 0, at: vec![at] };
    let laid = Laid {
        media: vec![medium("a"), medium("b")],
        spans: vec![span(first.len(), (1, 0)), span(second.len(), (0, 8192))],
        ..Laid::default()
    };
    let live = read_metadata(&host(), &asked(whole(), Depth::Mappings, false), Ways::default());
    assert_eq!(read_metadata(&media, &asked(laid, Depth::Mappings, false), Ways::default()), live);
}

#[test]
fn what_cannot_be_read_says_why_and_the_other_pools_are_read() {
    let mut asked = asked(whole(), Depth::Details, false);
    let elsewhere = |name: &str, at| PoolPlace::new(name.to_owned(), at);
    asked.places.push(elsewhere("gone", Ok(Laid::whole(medium("none"), None))));
    asked.places.push(elsewhere("suspended", Err("it is suspended".to_owned())));
    let seen = read_metadata(&host(), &asked, Ways::default());
    assert!(seen.of("p").is_some() && seen.of("gone").is_none());
    let gaps: Vec<_> = seen.gaps().map(|gap| format!("{}: {}", gap.source, gap.why)).collect();
    assert_eq!(gaps, ["metadata gone: there is none", "metadata suspended: it is suspended"]);
}

/// A count after so many waits.
type Counted = fn(usize) -> u64;

/// What an active pool with seven unreached blocks is said to have lost and to be writing, and how
/// often time was let pass, with this many writes seen, and under way on its data and handed on to
/// it, after so many waits.
fn unreached(written: Counted, (under_way, handed_on): (Counted, Counted)) -> (u64, u64, usize) {
    let mut pool = pool();
    pool.leaked = 7;
    let image = pool.image(400);
    let sysfs = move |path: &str, waited| match path {
        "/sys/dev/block/254:0/stat" => format!("1 0 8 0 {} 0 8 0 0 0 0", written(waited)),
        "/sys/dev/block/254:0/inflight" => "0 0".to_owned(),
        "/sys/dev/block/254:1/inflight" => format!("9 {}", under_way(waited)),
        "/sys/dev/block/254:2/inflight" => format!("9 {}", handed_on(waited)),
        other => panic!("{other} is no business of it"),
    };
    let host = Media(vec![(medium("m"), image)], Some(Box::new(sysfs)));
    let mut asked = asked(Laid::whole(medium("m"), "254:0".parse().ok()), Depth::Mappings, true);
    asked.places[0].data = "254:1".parse().ok();
    asked.places[0].device = "254:2".parse().ok();
    let notes = Notes(Mutex::new(Recording::new(Source::Metadata)));
    WAITED.set(0);
    let recorder = Recorder::new(&host, Source::Metadata, &notes);
    let live = read_metadata(&recorder, &asked, Ways::default());
    let waited = WAITED.get();
    let recording = notes.0.into_inner().expect("no thread panicked");
    assert_eq!(read_metadata(&recording, &asked, Ways::default()), live, "replayed");
    assert_eq!(WAITED.get(), waited, "a recording needs no time");
    let mappings = live.of("p").expect("read").mappings.clone().expect("mappings");
    (mappings.leaked.get(), mappings.pending.get(), waited)
}

#[test]
fn what_nobody_reaches_is_lost_only_where_nothing_is_on_its_way() {
    let steady = |_| 50;
    let none = |_| 0;
    assert_eq!(unreached(steady, (none, none)), (7, 0, 10), "2.5 s of rest");
    let late = |waited| if waited < 10 { 50 } else { 51 };
    assert_eq!(unreached(late, (none, none)), (0, 7, 10));
    let busy = |waited| 50 + waited as u64;
    assert_eq!(unreached(busy, (none, none)), (0, 7, 1), "no time is lost on it");
    assert_eq!(unreached(steady, (|_| 1, none)), (0, 7, 0));
    assert_eq!(unreached(steady, (none, |_| 1)), (0, 7, 0), "thin devices' writes are the pool's");
    assert_eq!(unreached(steady, (|waited| u64::from(waited == 4), none)), (0, 7, 4));
}

#[test]
fn a_device_s_own_space_is_told_alone_and_against_another() {
    let space = |other| {
        let question = BlockQuestion::Space { id: id(2), other };
        let block = Some(("p".to_owned(), question));
        let asked = Asked { block, ..asked(whole(), Depth::Mappings, false) };
        let seen = read_metadata(&host(), &asked, Ways::default());
        let answer = seen.pools[0].block.clone().expect("asked").expect("answered");
        let runs = answer.space.expect("it was asked for").runs;
        runs.iter().map(|run| (run.start, run.length, run.what)).collect::<Vec<_>>()
    };
    assert_eq!(space(None), [(0, 300, SpaceSort::Shared), (1000, 10, SpaceSort::Shared)]);
    assert_eq!(
        space(Some(id(1))),
        [
            (0, 100, SpaceSort::Same),
            (100, 40, SpaceSort::Different),
            (140, 160, SpaceSort::Same),
            (1000, 10, SpaceSort::Added)
        ]
    );
    assert_eq!(
        space(Some(id(7))),
        [(0, 300, SpaceSort::Same), (1000, 10, SpaceSort::Same), (5000, 1, SpaceSort::Lacking)]
    );
}

/// Three devices that share.
const XML: &str = r#"<superblock uuid="" time="2" transaction="5" data_block_size="128" nr_data_blocks="1000">
<device dev_id="1" mapped_blocks="4" transaction="0" creation_time="0" snap_time="1">
<range_mapping origin_begin="0" data_begin="0" length="4" time="0"/></device>
<device dev_id="2" mapped_blocks="6" transaction="1" creation_time="1" snap_time="2">
<range_mapping origin_begin="0" data_begin="0" length="4" time="0"/>
<range_mapping origin_begin="10" data_begin="20" length="2" time="1"/></device>
<device dev_id="7" mapped_blocks="3" transaction="2" creation_time="2" snap_time="2">
<single_mapping origin_block="0" data_block="0" time="0"/>
<single_mapping origin_block="1" data_block="50" time="2"/>
<single_mapping origin_block="10" data_block="20" time="1"/></device>
</superblock>"#;

#[test]
fn layers_of_a_saved_image_are_those_of_thin_ls() {
    let folder = tools::folder();
    let image = tools::restore(folder.path(), XML, 4 << 20);
    let path = image.to_str().expect("a plain path");
    let output = Command::new(env!("CARGO_BIN_EXE_thinscope"))
        .args(["layers", "--json", "--sharing", "--metadata", path])
        .output()
        .expect("the program was built with this test");
    assert!(output.status.success());
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["gaps"], serde_json::json!([]));
    let rows = document["devices"].as_array().expect("rows");
    let block = 128 * 512;
    let ours: Vec<_> = rows
        .iter()
        .map(|row| {
            assert_eq!(row["pool"], path);
            let number = |key: &str| row[key].as_u64().expect("a number");
            let blocks = |key: &str| number(key) / block;
            (
                number("device_id"),
                blocks("mapped_bytes"),
                blocks("exclusive_bytes"),
                blocks("shared_bytes"),
                number("pool_transaction_id"),
            )
        })
        .collect();
    let theirs: Vec<_> = tools::thin_ls(&image)
        .iter()
        .map(|row| (row.id, row.mapped, row.exclusive, row.shared, row.transaction))
        .collect();
    assert_eq!((ours.len(), &ours), (3, &theirs));
}

#[test]
fn what_is_no_metadata_is_a_gap_and_no_panic() {
    let folder = tools::folder();
    for (name, bytes) in
        [("empty", &b""[..]), ("short", b"x"), ("zero", &[0; 8192]), ("odd", &[7; 9000])]
    {
        let path = tools::write(folder.path(), name, bytes);
        let output = Command::new(env!("CARGO_BIN_EXE_thinscope"))
            .args(["layers", "--json", "--metadata", path.to_str().expect("a plain path")])
            .output()
            .expect("the program was built with this test");
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(document["gaps"].as_array().map(Vec::len), Some(1), "{name}: {document}");
        assert_eq!(document["devices"], serde_json::json!([]), "{name}");
    }
}
