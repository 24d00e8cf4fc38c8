//! One frame of the screen at 200×60 over 100,000 rows, and what a new picture of that host costs.
//!
//! Frames go into memory: what a terminal makes of them is the terminal's. Times are of this
//! thread on a processor: what others take of the machine meanwhile is not ours.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, KeyCode};
use nix::time::{ClockId, clock_gettime};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;
use thinscope::ids::{NodeId, ThinId};
use thinscope::model::{
    Container, ContainerState, Cure, Engine, Finding, HostLine, Kind, Mode, Node, NodeFacts,
    NodeIx, Origin, Pool, PoolIx, PoolKind, PoolState, PoolStatus, Role, Severity, Snapshot,
    ThinDevice, ThinIx, Topology, Usage,
};
use thinscope::tui::{App, Event, Look, draw};
use thinscope::units::{Bytes, DataBlocks, MetadataBlocks, Sectors};

const IMAGES: u32 = 100;
const LAYERS: u32 = 20;
const CONTAINERS: u32 = 49_000;
/// In turns, so that rows come and go.
const ONE_MORE_OR_LESS: [u32; 6] =
    [CONTAINERS - 1, CONTAINERS, CONTAINERS - 1, CONTAINERS, CONTAINERS - 1, CONTAINERS];
const SIZE: Size = Size::new(200, 60);

fn main() {
    let snapshot = host(CONTAINERS);
    println!("{} nodes, {}x{}", snapshot.topology.nodes.len(), SIZE.width, SIZE.height);
    let (took, mut app) = time(|| App::new(snapshot, Look::new(false, true), SIZE));
    report("first rows of a host", &mut [took]);
    // everything below the pool unfolded: every device is a row
    for code in [KeyCode::Down, KeyCode::Down, KeyCode::Down, KeyCode::Char('e')] {
        press(&mut app, code);
    }
    report("to the last row", &mut [time(|| press(&mut app, KeyCode::Char('G'))).0]);
    frames(&mut app);
    pictures("a picture, other figures", &mut app, [CONTAINERS; 12]);
    pictures("a picture, other rows", &mut app, ONE_MORE_OR_LESS);
    filter(&mut app);
    findings();
}

fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

fn time<T>(what: impl FnOnce() -> T) -> (Duration, T) {
    let before = now();
    let done = black_box(what());
    (now().saturating_sub(before), done)
}

fn press(app: &mut App, code: KeyCode) {
    black_box(app.update(Event::Terminal(TerminalEvent::Key(code.into()))));
}

fn frames(app: &mut App) {
    let Ok(mut terminal) = Terminal::new(TestBackend::new(SIZE.width, SIZE.height));
    for (name, code) in
        [("frame, one row up", KeyCode::Up), ("frame, one page up", KeyCode::PageUp)]
    {
        let mut times: Vec<Duration> = (0..1000)
            .map(|_| {
                let frame = || {
                    press(app, code);
                    let Ok(frame) = terminal.draw(|frame| draw(frame, app));
                    frame.count
                };
                time(frame).0
            })
            .collect();
        report(name, &mut times);
    }
}

/// New pictures of a host, each with so many containers. They are freed afterwards, as the loop
/// frees them beside the screen.
fn pictures<const N: usize>(name: &str, app: &mut App, containers: [u32; N]) {
    let pictures = containers.map(host);
    let mut times =
        pictures.clone().map(|snapshot| time(|| app.update(Event::Snapshot(snapshot))).0);
    report(name, &mut times);
}

fn filter(app: &mut App) {
    press(app, KeyCode::Char('/'));
    let mut times: Vec<Duration> =
        "web-4800".chars().map(|c| time(|| press(app, KeyCode::Char(c))).0).collect();
    report("a letter of a filter", &mut times);
}

/// The view of findings where each of ten thousand devices has one.
fn findings() {
    let mut snapshot = Arc::unwrap_or_clone(host(CONTAINERS));
    let nodes = snapshot.topology.nodes.iter().skip(4).take(10_000);
    let finding = |node: &Node| Finding {
        code: "device-leaked",
        severity: Severity::Warning,
        subject: node.name.clone(),
        node: Some(node.id.clone()),
        summary: format!("{} belongs to nobody and holds 1.0 GiB", node.name),
        evidence: vec!["id 17: in the pool in two looks".to_owned()],
        remedy: "`thinscope clean docker-thinpool`".to_owned(),
        cure: Cure::AsItsPage,
    };
    snapshot.findings = nodes.map(finding).collect();
    let mut app = App::new(Arc::new(snapshot), Look::new(false, true), SIZE);
    press(&mut app, KeyCode::Char('4'));
    let Ok(mut terminal) = Terminal::new(TestBackend::new(SIZE.width, SIZE.height));
    let mut frame = || {
        press(&mut app, KeyCode::PageDown);
        let Ok(frame) = terminal.draw(|frame| draw(frame, &app));
        frame.count
    };
    let mut times: Vec<Duration> = (0..150).map(|_| time(&mut frame).0).collect();
    report("frame, 10,000 findings", &mut times);
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    println!("{what:26} p50 {:8.3} ms   p99 {:8.3} ms", at(50), at(99));
}

/// A disk, a pool on it, images that share nothing but the base, containers on them.
fn host(containers: u32) -> Arc<Snapshot> {
    let mut nodes = vec![
        node(Kind::Disk, "sda".to_owned(), &[]),
        node(Kind::Tmeta, "docker-thinpool_tmeta".to_owned(), &[NodeIx(0)]),
        node(Kind::Tdata, "docker-thinpool_tdata".to_owned(), &[NodeIx(0)]),
        node(Kind::Pool, "docker-thinpool".to_owned(), &[NodeIx(2), NodeIx(1)]),
    ];
    nodes[3].facts.pool = Some(PoolIx(0));
    let mut thins = vec![thin(1, None, Role::Base, "base".to_owned())];
    for image in 0..IMAGES {
        for layer in 0..LAYERS {
            let id = 2 + image * LAYERS + layer;
            let parent = if layer == 0 { 1 } else { id - 1 };
            let mut device = thin(id, Some(parent), Role::ImageLayer, format!("{id:064x}"));
            device.images = vec![format!("team/image-{image}:stable").into()];
            device.position = Some((layer + 1, LAYERS));
            thins.push(device);
        }
    }
    for at in 0..containers {
        let id = 10_000 + at * 2;
        let top = 1 + LAYERS * (at % IMAGES + 1);
        let state = if at % 3 == 0 { ContainerState::Exited } else { ContainerState::Running };
        let container = Container {
            id: format!("{id:064x}").into(),
            name: format!("web-{at}").into(),
            state: Some(state),
            pod: None,
            namespace: None,
        };
        for (id, parent, role) in [(id, top, Role::ContainerInit), (id + 1, id, Role::Container)] {
            let mut device = thin(id, Some(parent), role, format!("{id:064x}"));
            device.container = Some(container.clone());
            thins.push(device);
        }
    }
    for (at, device) in (0_u32..).zip(&mut thins) {
        device.node = NodeIx(4 + at);
        let mut node = node(Kind::Thin, format!("docker-8:1-77-{}", device.name), &[NodeIx(3)]);
        node.facts.thin = Some(ThinIx(at));
        nodes.push(node);
    }
    let devices = (0..u32::try_from(thins.len()).unwrap_or(0)).map(ThinIx).collect();
    let topology = Topology::new(nodes, vec![pool(devices)], thins);
    Arc::new(Snapshot {
        generation: 1,
        origin: Origin::Live,
        host: HostLine { name: "many".into(), kernel: "6.1".into(), time: 0, root: true },
        sources: Vec::new(),
        topology: Arc::new(topology),
        findings: Vec::new(),
        gaps: Vec::new(),
        trends: std::sync::Arc::default(),
    })
}

fn node(kind: Kind, name: String, parents: &[NodeIx]) -> Node {
    Node {
        id: NodeId::new(kind.name(), &name),
        kind,
        name: name.into(),
        short: None,
        device: None,
        size: Some(Bytes(10 << 30)),
        parents: parents.to_vec(),
        mountpoints: Vec::new(),
        facts: NodeFacts::default(),
    }
}

fn thin(id: u32, parent: Option<u32>, role: Role, name: String) -> ThinDevice {
    ThinDevice {
        pool: PoolIx(0),
        node: NodeIx(0),
        id: ThinId::new(u64::from(id)),
        role,
        engine: Engine::Docker,
        name: name.into(),
        dm_name: None,
        images: Vec::new(),
        position: None,
        chain_id: None,
        container: None,
        parent: parent.and_then(|parent| ThinId::new(u64::from(parent))),
        size: Some(Bytes(10 << 30)),
        mapped: Some(Bytes(u64::from(id) << 20)),
        exclusive: None,
        shared: None,
        delta: None,
        transaction_id: None,
        times: None,
        deferred_deletion: false,
        active: false,
        suspended: false,
        mountpoint: None,
        claims: Vec::new(),
        note: None,
    }
}

fn pool(devices: Vec<ThinIx>) -> Pool {
    Pool {
        node: NodeIx(3),
        name: "docker-thinpool".into(),
        lv: None,
        kind: PoolKind::DirectLvm,
        state: PoolState::Active(PoolStatus {
            transaction_id: 1,
            metadata: Usage { used: MetadataBlocks(10), total: MetadataBlocks(100) },
            data: Usage { used: DataBlocks(10), total: DataBlocks(100) },
            held_root: None,
            mode: Mode::Rw,
            discard: None,
            no_space: None,
            needs_check: None,
            metadata_low_water: None,
            more: Vec::new(),
        }),
        suspended: false,
        block_size: Some(Sectors(1024)),
        low_water: None,
        options: Vec::new(),
        data: Some(NodeIx(2)),
        metadata: Some(NodeIx(1)),
        data_size: None,
        metadata_size: None,
        engines: Vec::new(),
        monitor: None,
        profile: None,
        lvm_transaction_id: None,
        vg_text: None,
        devices,
        contents: None,
        policy: None,
        policy_hidden_in: None,
        engine_facts: Vec::new(),
        driver_status: Vec::new(),
        driver_status_unknown: Vec::new(),
        driver_status_unseen: Vec::new(),
    }
}
