//! Whose run is gone on with: of this host, about what is still the same.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Parser;

use super::*;
use crate::cli::{Cli, Globals};
use crate::exec::Told;
use crate::plan::Check;
use crate::plan::tests::{grow, must_plan, recorded};
use crate::probe::LookOptions;
use crate::settings::{Environment, Settings};
use crate::survey::{LookPlan, Place};

#[derive(Default)]
struct Heard(Vec<String>);

impl Audience for Heard {
    fn say(&mut self, words: &str) {
        self.0.push(words.to_owned());
    }
    fn told(&mut self, _: &Plan, _: Told) {}
    fn agree(&mut self, _: &Plan) -> Result<(), Trouble> {
        panic!("nothing here destroys anything")
    }
}

/// The recorded host, and a folder of runs.
struct Den {
    _folder: tempfile::TempDir,
    settings: Settings,
    runs: Runs,
}

fn place() -> Den {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cli = Cli::parse_from(["thinscope", "resume"]);
    let around = Environment::default();
    let mut settings = Settings::resolve(&cli, Globals::default(), &around).expect("plain words");
    settings.state_dir = folder.path().join("state");
    let runs = Runs::below(&settings.state_dir);
    runs.prepare().expect("a new folder can be made");
    Den { _folder: folder, settings, runs }
}

impl Den {
    /// Keeps a run that was cut off in its first step, and goes on with it.
    fn go_on(&self, plan: &Plan) -> (GoneOn, Vec<String>) {
        let mut journal = self.runs.create(&plan.id).expect("it is new");
        append(&mut journal, &Record::Opened { plan: Box::new(plan.clone()) }).expect("kept");
        let intended = Record::Intended { step: 0, commands: Vec::new(), rescue: None };
        append(&mut journal, &intended).expect("kept");
        let demo = crate::demo::find(Some("direct-lvm")).expect("it is built in");
        let place = Place::Demo { name: demo.name, bytes: demo.recording };
        let options = LookOptions::default();
        let look = LookPlan::new(place, options);
        let stop = Arc::new(AtomicBool::new(false));
        let ground = Ground { settings: &self.settings, look, stop, survey: None };
        let run = named(&self.runs, &plan.id).expect("it is there");
        let mut heard = Heard::default();
        let gone_on = resume_one(&ground, &self.runs, &run, &mut heard);
        (gone_on.unwrap_or_else(|trouble| panic!("{trouble}")), heard.0)
    }

    fn is_open(&self, plan: &Plan) -> bool {
        named(&self.runs, &plan.id).is_ok_and(|run| run.is_open())
    }
}

/// A plan for the recorded host whose one step is seen to be done.
fn done() -> Plan {
    let host = recorded("direct-lvm");
    let mut plan = must_plan(&grow(Some("+40M"), None, &[]), &host);
    let demo = crate::demo::find(Some("direct-lvm")).expect("it is built in");
    let place = Place::Demo { name: demo.name, bytes: demo.recording };
    let options = LookOptions::default();
    let looked = survey::look_once(&LookPlan::new(place, options)).expect("it can be read");
    plan.basis.host = looked.snapshot.host.name.to_string();
    plan.steps[0].after = vec![Check::PoolWorks { pool: "docker-thinpool".to_owned() }];
    plan
}

#[test]
fn a_run_of_another_host_is_left_as_it_is() {
    let (place, mut plan) = (place(), done());
    plan.basis.host = "elsewhere".to_owned();
    let (GoneOn::Stranger(why), _) = place.go_on(&plan) else { panic!("it is not of this host") };
    assert!(why.contains("made for host elsewhere"), "{why}");
    assert!(place.is_open(&plan));
}

#[test]
fn a_run_about_a_pool_that_is_another_one_now_is_left_as_it_is() {
    let (place, mut plan) = (place(), done());
    for (_, id) in &mut plan.basis.identity {
        id.push('x');
    }
    let (GoneOn::Stranger(why), _) = place.go_on(&plan) else { panic!("it is another pool") };
    assert!(why.contains("is another one now"), "{why}");
    assert!(place.is_open(&plan));
}

#[test]
fn a_run_of_another_version_is_gone_on_with_and_that_is_said() {
    let (place, mut plan) = (place(), done());
    plan.basis.version = "0.0.1".to_owned();
    let (GoneOn::Ran(carried), said) = place.go_on(&plan) else { panic!("it goes on") };
    assert_eq!(carried.ending, Ending::Done);
    assert!(!place.is_open(&plan));
    let told = said.iter().any(|line| line.contains("made by version 0.0.1, and this is"));
    assert!(told, "{said:?}");
}
