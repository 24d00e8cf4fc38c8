//! A TOML text cut down to chosen keys while it is parsed, as JSON: behind the door there is one
//! form of configuration.

use serde::de::DeserializeSeed;

use super::json::{Kept, as_text};
use crate::sys::Raw;

/// The text with only the kept keys, as JSON, or what is wrong with it in the parser's words.
pub(super) fn kept(text: &[u8], kept: &Kept) -> Result<Raw, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
    // the parser's words quote the line, which may hold a password: only its place is told
    let wrong = |error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        format!("not valid TOML, line {line}")
    };
    let parser = toml::Deserializer::parse(text).map_err(wrong)?;
    as_text(&kept.deserialize(parser).map_err(wrong)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::live::keep::CONTAINERD;

    fn text(toml: &str) -> Result<String, String> {
        kept(toml.as_bytes(), &CONTAINERD).map(|raw| String::from_utf8_lossy(&raw.0).into_owned())
    }

    #[test]
    fn of_containerd_s_configuration_only_the_devmapper_plugin_is_kept() {
        let toml = "version = 2\nroot = \"/data/containerd\"\n\
            [plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"r.local\".auth]\n\
            password = \"hunter2\"\n\
            [plugins.\"io.containerd.snapshotter.v1.devmapper\"]\n\
            pool_name = \"fc-pool\"\nbase_image_size = \"10GB\"\nasync_remove = true\n\
            fs_options = \"-U hunter2\"\n";
        let expected = concat!(
            r#"{"plugins":{"io.containerd.snapshotter.v1.devmapper":{"async_remove":true,"#,
            r#""base_image_size":"10GB","pool_name":"fc-pool"}},"root":"/data/containerd"}"#
        );
        assert_eq!(text(toml), Ok(expected.to_owned()));
        assert_eq!(text(""), Ok("{}".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line_and_not_quoted() {
        let wrong = text("root = \"/a\"\npassword = hunter2\n").expect_err("hunter2 has no quotes");
        assert_eq!(wrong, "not valid TOML, line 2");
    }
}
