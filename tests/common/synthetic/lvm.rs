//! What `lvm fullreport` prints on the synthetic host, in the form of LVM 2.03.16.

use serde_json::{Value, json};

/// Sizes in bytes.
pub(crate) struct Sizes {
    /// The pool's data.
    pub(crate) data: u64,
    /// The pool's metadata, and its spare.
    pub(crate) metadata: u64,
    /// The physical volume.
    pub(crate) disk: u64,
    /// What the VG has left.
    pub(crate) free: u64,
}

/// Size of an extent.
pub(crate) const EXTENT: u64 = 4 << 20;
/// Size of a data block.
pub(crate) const CHUNK: u64 = 512 << 10;

pub(crate) const VG_UUID: &str = "g7feV2-nMZ5-ayck-0R2e-s1VZ-U2kk-nAHme0";
pub(crate) const PV_UUID: &str = "q30OLP-nWtX-lo7p-Wzh4-ycon-DaSz-ZpySdC";
pub(crate) const SPARE_UUID: &str = "LOidOO-vDwR-6wMT-rVFb-Ld9R-b9xq-ODtLMu";
pub(crate) const POOL_UUID: &str = "pLIix6-MEOL-eMa6-1EqJ-omTE-I1JE-zO3joO";
pub(crate) const TDATA_UUID: &str = "j37HyV-aQXe-kW9L-ctXb-03rE-MU64-yTY6Bz";
pub(crate) const TMETA_UUID: &str = "UZKC97-i4xg-ciFn-q9RB-XO2t-AG1y-KwILAL";

/// The report.
pub(crate) fn report(sizes: &Sizes) -> String {
    let vg = json!({
        "vg_uuid": VG_UUID, "vg_name": "docker", "vg_attr": "wz--n-",
        "vg_size": sizes.disk.to_string(), "vg_free": sizes.free.to_string(),
        "vg_extent_size": EXTENT.to_string(), "vg_missing_pv_count": "0",
    });
    let pv = json!({
        "pv_uuid": PV_UUID, "vg_uuid": VG_UUID, "vg_name": "docker", "pv_name": "/dev/vdb",
        "pv_major": "254", "pv_minor": "16", "pv_size": sizes.disk.to_string(),
        "pv_free": sizes.free.to_string(), "pv_missing": "",
    });
    let body = json!({"vg": [vg], "pv": [pv], "lv": volumes(sizes), "pvseg": [{"pv_uuid": PV_UUID}],
        "seg": segments(sizes)});
    json!({"report": [body]}).to_string()
}

fn volumes(sizes: &Sizes) -> [Value; 4] {
    let lv = |uuid: &str, name: &str, attr: &str, size: u64, role: &str| {
        let is_pool = name == "thinpool";
        let part = |part: &str| if is_pool { format!("[thinpool_{part}]") } else { String::new() };
        let parent = if name.starts_with("[thinpool_") { "thinpool" } else { "" };
        json!({
            "lv_uuid": uuid, "vg_uuid": VG_UUID, "lv_name": name, "lv_attr": attr,
            "lv_size": size.to_string(), "pool_lv": "", "data_lv": part("tdata"),
            "metadata_lv": part("tmeta"), "origin": "", "lv_role": role,
            "lv_profile": if is_pool { "docker-thinpool" } else { "" }, "lv_tags": "",
            "lv_parent": parent,
        })
    };
    [
        lv(SPARE_UUID, "[lvol0_pmspare]", "ewi-------", sizes.metadata, "private,pool,spare"),
        lv(POOL_UUID, "thinpool", "twi-aot---", sizes.data, "private"),
        lv(TDATA_UUID, "[thinpool_tdata]", "Twi-ao----", sizes.data, "private,thin,pool,data"),
        lv(
            TMETA_UUID,
            "[thinpool_tmeta]",
            "ewi-ao----",
            sizes.metadata,
            "private,thin,pool,metadata",
        ),
    ]
}

fn segments(sizes: &Sizes) -> [Value; 4] {
    let linear = |uuid: &str, first: u64| {
        json!({
            "lv_uuid": uuid, "segtype": "linear", "thin_id": "", "transaction_id": "",
            "chunk_size": "0", "devices": format!("/dev/vdb({first})"), "seg_monitor": "",
        })
    };
    let spare = (sizes.metadata + sizes.data) / EXTENT;
    [
        linear(SPARE_UUID, spare),
        json!({
            "lv_uuid": POOL_UUID, "segtype": "thin-pool", "thin_id": "", "transaction_id": "0",
            "chunk_size": CHUNK.to_string(), "devices": "thinpool_tdata(0)",
            "seg_monitor": "monitored",
        }),
        linear(TDATA_UUID, sizes.metadata / EXTENT),
        linear(TMETA_UUID, 0),
    ]
}
