# shellcheck shell=bash
# Volume groups and pools, made as Docker's documents say.

# docker_vg PV…: the volume group "docker"
docker_vg() {
    pvcreate -q "$@"
    vgcreate -q docker "$@"
}

# docker_thinpool [VOLUME-ARGS-OF-THE-METADATA…]: docker/thinpool, with autoextend 80/20
docker_thinpool() {
    [ $# -gt 0 ] || set -- -l 1%VG docker
    lvs docker/thinpool >/dev/null 2>&1 || lvcreate -q --wipesignatures y -n thinpool docker -l 95%VG
    lvcreate -q --wipesignatures y -n thinpoolmeta "$@"
    lvconvert -q -y --zero n -c 512K --thinpool docker/thinpool --poolmetadata docker/thinpoolmeta
    cat >/etc/lvm/profile/docker-thinpool.profile <<'PROFILE'
activation {
  thin_pool_autoextend_threshold=80
  thin_pool_autoextend_percent=20
}
PROFILE
    lvchange -q --metadataprofile docker-thinpool docker/thinpool
    lvchange -q --monitor y docker/thinpool
}
