//! Texts as Docker writes them, and broken ones.

use super::*;

fn kept(keep: Keep, text: &str) -> Result<String, String> {
    project(keep, text.as_bytes().to_vec())
        .map(|raw| String::from_utf8(raw.0).expect("what was kept of text is text"))
}

#[test]
fn of_a_container_the_environment_commands_and_mounts_never_come_through() {
    let config = r#"{
        "StreamConfig": {}, "ID": "ab12", "Name": "/web", "Image": "sha256:77",
        "Path": "/bin/secret-command", "Args": ["--password=hunter2"],
        "Config": {"Hostname": "h", "Image": "app:one", "Env": ["TOKEN=hunter2"],
                   "Cmd": ["hunter2"], "Labels": {"com.docker.compose.project": "shop",
                   "license-key": "hunter2"}},
        "State": {"Running": true, "Pid": 17, "Error": "", "Health": {"Status": "healthy",
                  "Log": [{"Output": "hunter2"}]}},
        "MountPoints": {"/x": {"Source": "/hunter2"}}, "Driver": "devicemapper"}"#;
    assert_eq!(
        kept(Keep::DockerContainer, config).as_deref(),
        Ok(concat!(
            r#"{"ID":"ab12","Name":"/web","Image":"sha256:77","#,
            r#""Config":{"Hostname":"h","Image":"app:one","#,
            r#""Labels":{"com.docker.compose.project":"shop"}},"#,
            r#""State":{"Running":true,"Pid":17,"Error":"","Health":{"Status":"healthy"}},"#,
            r#""Driver":"devicemapper"}"#
        ))
    );
}

#[test]
fn a_secret_hidden_under_a_kept_key_of_the_wrong_type_stays_out() {
    let config = r#"{"ID":{"Env":["hunter2"]},"Config":"hunter2","State":["hunter2"],
                     "Name":["a",{"b":"hunter2"}]}"#;
    let kept = kept(Keep::DockerContainer, config).expect("valid JSON");
    assert_eq!(kept, r#"{"ID":null,"Config":null,"State":null,"Name":["a",null]}"#);
}

#[test]
fn of_an_image_its_layers_stay_and_its_configuration_does_not() {
    let image = r#"{"architecture":"amd64","os":"linux","created":"2024-01-02T03:04:05Z",
        "config":{"Env":["A=hunter2"]},"history":[{"created_by":"ENV A=hunter2"}],
        "rootfs":{"type":"layers","diff_ids":["sha256:01","sha256:02"]}}"#;
    assert_eq!(
        kept(Keep::DockerImage, image).as_deref(),
        Ok(concat!(
            r#"{"architecture":"amd64","os":"linux","created":"2024-01-02T03:04:05Z","#,
            r#""rootfs":{"type":"layers","diff_ids":["sha256:01","sha256:02"]}}"#
        ))
    );
}

#[test]
fn of_the_daemon_s_file_only_what_says_where_it_stores_is_kept() {
    let daemon = r#"{"data-root":"/srv/docker","storage-driver":"devicemapper","hosts":["tcp://x"],
        "storage-opts":["dm.thinpooldev=/dev/mapper/docker-thinpool"],"proxies":{"p":"hunter2"}}"#;
    assert_eq!(
        kept(Keep::DockerDaemon, daemon).as_deref(),
        Ok(concat!(
            r#"{"data-root":"/srv/docker","storage-driver":"devicemapper","#,
            r#""storage-opts":["dm.thinpooldev=/dev/mapper/docker-thinpool"]}"#
        ))
    );
}

#[test]
fn names_and_digests_of_repositories_come_through_whole() {
    let text = r#"{"Repositories":{"ubuntu":{"ubuntu:16.04":"sha256:aa"}},"Other":1}"#;
    assert_eq!(
        kept(Keep::DockerRepositories, text).as_deref(),
        Ok(r#"{"Repositories":{"ubuntu":{"ubuntu:16.04":"sha256:aa"}}}"#)
    );
}

#[test]
fn broken_json_is_refused_in_the_parser_s_words_with_line_and_column() {
    for (text, words) in [
        ("", "it is empty"),
        ("{\"a\":1", "not valid JSON: EOF while parsing an object at line 1 column 6"),
        ("{}x", "not valid JSON: trailing characters at line 1 column 3"),
        ("[1]", "it holds no JSON object"),
        ("\"x\"", "it holds no JSON object"),
        ("{\"Name\":\"\u{1}\"}", "line 1 column 10"),
    ] {
        let why = kept(Keep::DockerContainer, text).expect_err("it is broken");
        assert!(why.contains(words), "{text:?}: {why}");
    }
}

#[test]
fn json_nested_without_end_is_refused_and_not_followed() {
    let deep = format!("{{\"Other\":{}", "[".repeat(100_000));
    assert!(kept(Keep::DockerContainer, &deep).is_err());
    let deep = format!("{{\"Name\":{}", "[".repeat(100_000));
    assert!(kept(Keep::DockerContainer, &deep).is_err());
}

#[test]
fn storage_options_are_found_in_sysconfig_and_unit_files() {
    let file = concat!(
        "# --storage-opt dm.fs=ext4\n",
        "DOCKER_STORAGE_OPTIONS=\"--storage-driver devicemapper --storage-opt dm.fs=xfs \\\n",
        "  --storage-opt=dm.thinpooldev=/dev/mapper/vg-docker--pool --log-opt token=hunter2\"\n",
        "HTTP_PROXY=http://user:hunter2@proxy\n",
        "ExecStart=/usr/bin/dockerd -H fd:// -s devicemapper -g /srv/docker\n",
        "OPTIONS='--userns-remap=default --data-root \"/srv/d\"'\n",
        "GRAPH=--graph=/old --storage-opt --tls\n",
    );
    assert_eq!(
        kept(Keep::DaemonOptions, file).as_deref(),
        Ok(concat!(
            "--storage-driver=devicemapper\n",
            "--storage-opt=dm.fs=xfs\n",
            "--storage-opt=dm.thinpooldev=/dev/mapper/vg-docker--pool\n",
            "--storage-driver=devicemapper\n",
            "--graph=/srv/docker\n",
            "--userns-remap=default\n",
            "--data-root=/srv/d\n",
            "--graph=/old\n",
        ))
    );
}

#[test]
fn storage_options_are_found_on_a_running_daemon_s_command_line() {
    let cmdline = "/usr/sbin/dockerd\0-H\0fd://\0--storage-opt\0dm.fs=xfs\0-s\0devicemapper\0";
    assert_eq!(
        kept(Keep::DaemonOptions, cmdline).as_deref(),
        Ok("--storage-opt=dm.fs=xfs\n--storage-driver=devicemapper\n")
    );
}

proptest::proptest! {
    #[test]
    fn nothing_in_a_daemon_s_file_panics_and_only_options_come_out(text in "[-a-z=\"' \\\\\n]{0,80}") {
        let kept = kept(Keep::DaemonOptions, &text).expect("any text will do");
        proptest::prop_assert!(kept.lines().all(|line| line.starts_with("--")));
    }
}
