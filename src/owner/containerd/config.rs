//! What containerd was told (`formats.md` 3.1), out of the keys that the door lets through.
//!
//! Files that a configuration imports are not followed.

use serde::Deserialize;
use serde_json::Value;

use crate::sys::HostPath;

/// A configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// containerd's root, where it is written.
    pub root: Option<HostPath>,
    /// The snapshotter's folder, where it is written.
    pub home: Option<HostPath>,
    /// The snapshotter's pool; without one the plugin is skipped.
    pub pool: Option<String>,
}

#[derive(Default, Deserialize)]
struct Plugin {
    #[serde(default)]
    root_path: Value,
    #[serde(default)]
    pool_name: Value,
}

#[derive(Default, Deserialize)]
struct Plugins {
    #[serde(default, rename = "io.containerd.snapshotter.v1.devmapper")]
    named: Option<Plugin>,
    /// As version 1 of the configuration names it.
    #[serde(default)]
    devmapper: Option<Plugin>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    root: Value,
    #[serde(default)]
    plugins: Plugins,
}

/// Reads the kept keys; what is of another form says nothing.
pub fn parse_config(json: &[u8]) -> Config {
    let Ok(file) = serde_json::from_slice::<File>(json) else { return Config::default() };
    let plugin = file.plugins.named.or(file.plugins.devmapper).unwrap_or_default();
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let path = |value: &Value| text(value).filter(|path| path.starts_with('/')).map(HostPath::new);
    Config {
        root: path(&file.root),
        home: path(&plugin.root_path),
        // it becomes a file's name
        pool: text(&plugin.pool_name).filter(|name| !name.contains('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_is_named_in_full_or_shortly() {
        let config = parse_config(
            br#"{"root":"/data","plugins":{"io.containerd.snapshotter.v1.devmapper":
                {"root_path":"/snap","pool_name":"fc-pool","base_image_size":"10GB"}}}"#,
        );
        assert_eq!(config.root, Some(HostPath::new("/data")));
        assert_eq!(config.home, Some(HostPath::new("/snap")));
        assert_eq!(config.pool.as_deref(), Some("fc-pool"));
        let old = parse_config(br#"{"plugins":{"devmapper":{"pool_name":"p"}}}"#);
        assert_eq!((old.home, old.pool.as_deref()), (None, Some("p")));
    }

    #[test]
    fn what_is_of_another_form_says_nothing() {
        for json in [
            "",
            "[]",
            r#"{"root":"relative"}"#,
            r#"{"root":3,"plugins":{"devmapper":{"pool_name":"../x"}}}"#,
        ] {
            assert_eq!(parse_config(json.as_bytes()), Config::default(), "{json}");
        }
    }
}
