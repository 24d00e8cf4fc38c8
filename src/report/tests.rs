//! Reports of a sample host, read as a person and as a program would.

use serde_json::Value;

use super::text::{Direction, Style};
use super::{json, text};
use crate::ids::ThinId;
use crate::model::sample::{Parts, direct_lvm, thin};
use crate::model::{Claim, Engine, Finding, Gap, NodeIx, PoolIx, PoolState, Role, Snapshot};
use crate::units::Bytes;

const PLAIN: Style = Style { ascii: false, color: false };
const ASCII: Style = Style { ascii: true, color: false };

type Printer = fn(&mut dyn std::io::Write, &Snapshot) -> std::io::Result<()>;

fn text_of(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("reports are UTF-8")
}

fn document(snapshot: &Snapshot, write: Printer) -> Value {
    let text = text_of(|out| write(out, snapshot));
    serde_json::from_str(&text).expect("a report is valid JSON")
}

fn tree_of(parts: Parts, direction: Direction, style: Style) -> Vec<String> {
    let topology = parts.topology();
    let text = text_of(|out| text::write_tree(out, &topology, direction, style));
    text.lines().map(str::to_owned).collect()
}

/// The first word or words of each line, up to two blanks.
fn names(lines: &[String]) -> Vec<&str> {
    lines
        .iter()
        .skip(1)
        .map(|line| line.split("  ").find(|p| !p.is_empty()).unwrap_or(""))
        .collect()
}

#[test]
fn every_document_says_its_format_and_its_gaps() {
    let mut snapshot = direct_lvm().snapshot();
    snapshot.gaps = vec![Gap::new("lvm", "no answer in 5 s")];
    let printers: [(&str, Printer); 4] = [
        ("nodes", json::write_tree),
        ("devices", |out, snapshot| json::write_layers(out, snapshot, None, None)),
        ("pools", |out, snapshot| json::write_pools(out, snapshot, None)),
        ("findings", json::write_findings),
    ];
    for (key, write) in printers {
        let document = document(&snapshot, write);
        assert_eq!(document["format"], 1);
        assert_eq!(document["gaps"][0]["source"], "lvm");
        assert_eq!(document["gaps"][0]["why"], "no answer in 5 s");
        assert!(document[key].is_array(), "{key}");
    }
}

#[test]
fn a_row_of_the_tree_has_every_promised_key() {
    let document = document(&direct_lvm().snapshot(), json::write_tree);
    let pool = document["nodes"]
        .as_array()
        .and_then(|nodes| nodes.iter().find(|node| node["kind"] == "pool"))
        .expect("the sample has a pool");
    assert_eq!(pool["id"], "pool:docker-thinpool");
    assert_eq!(pool["name"], "docker-thinpool");
    assert_eq!(pool["device"], "253:2");
    assert_eq!(pool["size_bytes"], 95_u64 << 30);
    assert_eq!(
        pool["parents"],
        serde_json::json!(["tdata:docker-thinpool_tdata", "tmeta:docker-thinpool_tmeta"])
    );
    for node in document["nodes"].as_array().expect("nodes are a list") {
        for key in ["id", "kind", "name", "device", "size_bytes", "parents", "mountpoints"] {
            assert!(node.get(key).is_some(), "{key} in {node}");
        }
    }
}

#[test]
fn pv_vg_and_file_are_no_devices_and_neither_active_nor_not() {
    let document = document(&direct_lvm().snapshot(), json::write_tree);
    assert_eq!(document["nodes"][0]["active"], true);
    assert_eq!(document["nodes"][1]["active"], Value::Null);
    assert_eq!(document["nodes"][2]["active"], Value::Null);
    assert_eq!(document["nodes"][3]["active"], false, "the spare is never active");
}

#[test]
fn a_layer_s_row_keeps_what_is_unknown_null() {
    let snapshot = direct_lvm().snapshot();
    let document = document(&snapshot, |out, snapshot| {
        json::write_layers(out, snapshot, Some(PoolIx(0)), None)
    });
    let rows = document["devices"].as_array().expect("devices are a list");
    assert_eq!(rows.len(), 5);
    let (top, web) = (&rows[2], &rows[4]);
    assert_eq!(top["role"], "image-layer");
    assert_eq!(top["images"], serde_json::json!(["app:1"]));
    assert_eq!(top["position"], serde_json::json!({"at": 2, "of": 2}));
    assert_eq!(top["mapped_bytes"], Value::Null);
    assert_eq!(top["container"], Value::Null);
    assert_eq!(web["pool"], "docker-thinpool");
    assert_eq!(web["device_id"], 5);
    assert_eq!(web["parent_device_id"], 4);
    assert_eq!(web["container"]["name"], "web");
    assert_eq!(web["container"]["state"], "running");
    assert_eq!(web["mapped_bytes"], 160 << 20);
    assert_eq!(web["exclusive_bytes"], Value::Null);
    assert_eq!(web["mountpoint"], "/var/lib/docker/devicemapper/mnt/5");
    assert_eq!(rows[3]["role"], "container-init");
}

#[test]
fn a_pool_s_row_has_docker_s_keys_in_docker_s_order() {
    let snapshot = direct_lvm().snapshot();
    let text = text_of(|out| json::write_pools(out, &snapshot, None));
    let name = text.find("\"Pool Name\":\"docker-thinpool\"").expect("docker's first key");
    let block = text.find("\"Pool Blocksize\":\"524.3kB\"").expect("docker's second key");
    assert!(name < block);
    let pool = &document(&snapshot, |out, s| json::write_pools(out, s, None))["pools"][0];
    assert_eq!(pool["mode"], "rw");
    assert_eq!(pool["kind"], "direct-lvm");
    assert_eq!(pool["data_used_bytes"], 19_456_u64 * 524_288);
    assert_eq!(pool["data_total_bytes"], 95_u64 << 30);
    assert_eq!(pool["metadata_used_bytes"], 5222 * 4096);
    assert_eq!(pool["data_used_ratio"], 0.1);
    assert_eq!(pool["low_water_bytes"], 38_912_u64 * 524_288);
    assert_eq!(pool["held_metadata_snapshot"], false);
    assert_eq!(pool["no_space"], "queue");
    assert_eq!(pool["engines"], serde_json::json!(["docker"]));
    assert_eq!(pool["driver_status_unknown"], serde_json::json!(["Library Version"]));
}

#[test]
fn an_inactive_pool_has_sizes_and_no_use() {
    let mut parts = direct_lvm();
    parts.pool.state = PoolState::Inactive;
    let snapshot = parts.snapshot();
    let pool = &document(&snapshot, |out, s| json::write_pools(out, s, None))["pools"][0];
    assert_eq!(pool["mode"], "inactive");
    assert_eq!(pool["data_total_bytes"], 95_u64 << 30);
    for key in ["data_used_bytes", "data_used_ratio", "transaction_id", "needs_check"] {
        assert_eq!(pool[key], Value::Null, "{key}");
    }
}

#[test]
fn a_pool_goes_by_its_dm_name_and_by_its_lv() {
    let topology = direct_lvm().topology();
    for name in [
        "docker-thinpool",
        "docker/thinpool",
        "/dev/mapper/docker-thinpool",
        "/dev/docker/thinpool",
    ] {
        assert_eq!(topology.find_pool(Some(name)), Some(PoolIx(0)), "{name}");
    }
    assert_eq!(topology.find_pool(Some("thinpool")), None);
}

#[test]
fn every_node_is_drawn_once_and_pointed_at_from_its_other_parent() {
    let lines = tree_of(direct_lvm(), Direction::Up, PLAIN);
    assert_eq!(
        names(&lines),
        [
            "vdb",
            "└─vdb",
            "└─docker",
            "├─lvol0_pmspare",
            "├─thinpool_tmeta",
            "│ └─→ thinpool",
            "└─thinpool_tdata",
            "└─thinpool",
            "├─base",
            "├─app:1 1/2",
            "├─app:1 2/2",
            "├─web (init)",
            "└─web",
        ]
    );
    let web = lines.last().expect("thirteen lines");
    for word in ["container", "10.0G", "160M", "running active", "/var/lib/docker"] {
        assert!(web.contains(word), "{word} in {web}");
    }
}

#[test]
fn upside_down_the_pool_is_drawn_under_the_first_device_that_rests_on_it() {
    let lines = tree_of(direct_lvm(), Direction::Down, ASCII);
    let names = names(&lines);
    assert_eq!(
        names[..9],
        [
            "lvol0_pmspare",
            "`-docker",
            "`-vdb",
            "`-vdb",
            "base",
            "`-thinpool",
            "|-thinpool_tdata",
            "| `--> docker",
            "`-thinpool_tmeta",
        ]
    );
    let pools = lines.iter().filter(|line| line.contains("thinpool ")).count();
    assert_eq!(pools, 1, "the pool's own line: {lines:#?}");
}

#[test]
fn nodes_that_rest_on_each_other_in_a_circle_are_drawn_all_the_same() {
    let mut parts = direct_lvm();
    parts.nodes[0].parents = vec![NodeIx(2)];
    let lines = tree_of(parts, Direction::Up, PLAIN);
    let drawn = lines.iter().skip(1).filter(|line| !line.contains('→')).count();
    assert_eq!(drawn, 12);
}

#[test]
fn a_chain_of_a_hundred_thousand_nodes_does_not_end_the_program() {
    let mut parts = direct_lvm();
    for at in 0..100_000 {
        let mut next = crate::model::sample::node(crate::model::Kind::Linear, &format!("l{at}"), 1);
        let below = u32::try_from(parts.nodes.len() - 1).expect("a small number");
        next.parents = vec![NodeIx(below)];
        parts.nodes.push(next);
    }
    assert_eq!(tree_of(parts, Direction::Up, PLAIN).len(), 100_014);
}

#[test]
fn layers_stand_under_the_one_they_are_a_snapshot_of() {
    let topology = direct_lvm().topology();
    let text = text_of(|out| text::write_layers(out, &topology, None, None, PLAIN));
    let starts: Vec<_> = text.lines().map(|line| line.split("  ").next().unwrap_or("")).collect();
    assert_eq!(starts[0], "docker-thinpool");
    assert!(text.contains("\n      web (init)"), "{text}");
    assert!(text.contains("\n        web "), "{text}");
    assert!(!text.contains("EXCL"), "nobody asked for sharing: {text}");
}

#[test]
fn a_layer_that_is_in_many_images_names_three_and_counts_the_rest() {
    let mut parts = direct_lvm();
    parts.thins[1].images = ["a:1", "b:1", "c:1", "d:1", "e:1"].map(Into::into).to_vec();
    let topology = parts.topology();
    let text = text_of(|out| text::write_layers(out, &topology, None, None, PLAIN));
    assert!(text.contains("  a:1, b:1, c:1 +2 more\n"), "{text}");
}

#[test]
fn a_layer_chain_that_bites_its_tail_is_printed_once() {
    let mut parts = direct_lvm();
    parts.thins[0].parent = ThinId::new(5);
    parts.thins[1].exclusive = Some(Bytes(1 << 20));
    let topology = parts.topology();
    let text = text_of(|out| text::write_layers(out, &topology, None, None, PLAIN));
    assert_eq!(text.lines().count(), 7);
    assert!(text.contains("EXCL"), "one row knows");
}

#[test]
fn two_claims_on_one_id_are_one_row_that_says_so() {
    let mut parts = direct_lvm();
    let mut twice = thin(0, 9, Role::Unknown, "x");
    let claim = |name: &str| Claim { engine: Engine::Docker, name: name.into(), by: "file".into() };
    twice.claims = vec![claim("x"), claim("y")];
    parts.add(twice);
    let topology = parts.topology();
    let text = text_of(|out| text::write_layers(out, &topology, None, None, PLAIN));
    assert!(text.contains("claimed twice inactive"), "{text}");
}

#[test]
fn what_deleting_gives_back_is_a_size_under_a_size_s_key() {
    use crate::model::metadata;
    use crate::units::DataBlocks;
    let freed = crate::report::Freed {
        pool: PoolIx(0),
        ids: ThinId::new(3).into_iter().collect(),
        freed: metadata::Freed { blocks: DataBlocks(7), held: DataBlocks(2) },
    };
    let snapshot = direct_lvm().snapshot();
    let text = text_of(|out| json::write_layers(out, &snapshot, Some(PoolIx(0)), Some(&freed)));
    let document: Value = serde_json::from_str(&text).expect("a report is valid JSON");
    // 7 and 2 blocks of 512 KiB; `bytes` is the older name, which stays
    assert_eq!(
        document["freed"],
        serde_json::json!({
            "pool": "docker-thinpool",
            "device_ids": [3],
            "bytes": 3_670_016,
            "freed_bytes": 3_670_016,
            "held_bytes": 1_048_576,
        })
    );
}

#[test]
fn the_driver_section_is_laid_out_as_docker_info_does() {
    let snapshot = direct_lvm().snapshot();
    let text = text_of(|out| text::write_pools(out, &snapshot, None, PLAIN));
    assert!(
        text.contains(
            "Storage Driver: devicemapper\n Pool Name: docker-thinpool\n Pool Blocksize: 524.3kB\n"
        ),
        "{text}"
    );
    assert!(text.contains("\n Data: 9.5 GiB of 95.0 GiB (10%)\n"), "{text}");
    let end = "Known to a running daemon only: Library Version\nWhat happens next\n whether LVM \
               grows it is not known\n at 100%: writes wait, and fail after at most 60 s unless it \
               grows\n";
    assert!(text.ends_with(end), "{text}");
    // what the kernel did not tell is no secret of the daemon's
    let mut parts = direct_lvm();
    parts.pool.state = PoolState::Unseen { why: "no answer".into() };
    parts.pool.driver_status_unseen = vec!["Data Space Used".into(), "Data Space Available".into()];
    let snapshot = parts.snapshot();
    let text = text_of(|out| text::write_pools(out, &snapshot, None, PLAIN));
    let end = "Known to a running daemon only: Library Version\nNot known while the pool hides its \
               status: Data Space Used, Data Space Available\n";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn plain_text_holds_no_control_character_but_the_newline() {
    let mut parts = direct_lvm();
    let hostile = "\u{1b}]0;owned\u{7}\u{202e}evil\nline";
    parts.thins[4].name = hostile.into();
    parts.thins[4].note = Some(hostile.into());
    parts.pool.name = hostile.into();
    parts.pool.driver_status.push(("Pool Name".into(), hostile.to_owned()));
    let mut snapshot = parts.snapshot();
    snapshot.findings = crate::advise::findings(&snapshot.topology);
    let topology = &snapshot.topology;
    let all = text_of(|out| {
        text::write_tree(out, topology, Direction::Up, PLAIN)?;
        text::write_layers(out, topology, None, None, PLAIN)?;
        text::write_pools(out, &snapshot, None, PLAIN)?;
        text::write_findings(out, &snapshot, PLAIN)
    });
    assert!(all.chars().all(|c| c == '\n' || !c.is_control()), "{all:?}");
    assert!(!all.contains('\u{202e}'));
    let ascii = text_of(|out| text::write_tree(out, topology, Direction::Up, ASCII));
    assert!(ascii.is_ascii(), "{ascii}");
}

#[test]
fn findings_say_what_was_seen_and_what_to_do() {
    let mut parts = direct_lvm();
    parts.pool.state = PoolState::Failed;
    let mut snapshot = parts.snapshot();
    snapshot.findings = crate::advise::findings(&snapshot.topology);
    let text = text_of(|out| text::write_findings(out, &snapshot, PLAIN));
    assert!(text.starts_with("CRITICAL pool-failed  docker-thinpool\n"), "{text}");
    assert!(text.contains("\n  seen: status of docker-thinpool: 0 199229440 thin-pool"), "{text}");
    assert!(text.contains("\n  do: "), "{text}");
    let row = &document(&snapshot, json::write_findings)["findings"][0];
    for (key, value) in [
        ("code", "pool-failed"),
        ("severity", "critical"),
        ("subject", "docker-thinpool"),
        ("node", "pool:docker-thinpool"),
    ] {
        assert_eq!(row[key], value);
    }
    assert!(row["evidence"].is_array() && row["summary"].is_string() && row["remedy"].is_string());
}

#[test]
fn no_finding_is_said_with_what_could_not_be_seen() {
    let mut snapshot = direct_lvm().snapshot();
    let text = |snapshot: &Snapshot| text_of(|out| text::write_findings(out, snapshot, PLAIN));
    assert_eq!(text(&snapshot), "Nothing wrong was found.\n");
    snapshot.gaps = vec![Gap::new("lvm", "no answer")];
    assert_eq!(text(&snapshot), "Nothing wrong was found, but one part could not be seen.\n");
}

#[test]
fn ten_thousand_thin_devices_are_ten_thousand_lines() {
    let mut parts = direct_lvm();
    for id in 10..10_010 {
        parts.add(thin(0, id, Role::ImageLayer, &format!("{id:064x}")));
    }
    let snapshot = parts.snapshot();
    let text = text_of(|out| json::write_tree(out, &snapshot));
    assert_eq!(text.lines().count(), 10_012 + 6, "a row a line, three keys, three brackets");
}

/// What this thread has had of a processor.
fn cpu_time() -> std::time::Duration {
    use nix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Into::into).expect("Linux tells")
}

#[test]
fn ten_thousand_findings_are_ten_thousand_rows_and_sentences() {
    let mut parts = direct_lvm();
    parts.pool.state = PoolState::Failed;
    let mut snapshot = parts.snapshot();
    let one = crate::advise::findings(&snapshot.topology).remove(0);
    let of = |nth: usize| Finding { subject: format!("device-{nth}").into(), ..one.clone() };
    snapshot.findings = (0..10_000).map(of).collect();
    let began = cpu_time();
    let rows = document(&snapshot, json::write_findings);
    let rows = rows["findings"].as_array().expect("a list");
    assert_eq!(rows.len(), 10_000);
    assert_eq!(rows[9_999]["subject"], "device-9999");
    let text = text_of(|out| text::write_findings(out, &snapshot, PLAIN));
    assert_eq!(text.matches("CRITICAL pool-failed  device-").count(), 10_000);
    // less than a second unoptimised; what grows with the square would take minutes
    let took = cpu_time().saturating_sub(began);
    assert!(took.as_secs() < 5, "{took:?}");
}
