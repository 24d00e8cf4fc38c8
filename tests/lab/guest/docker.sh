# shellcheck shell=bash disable=SC2034
# The Docker daemon: its configuration, start and end.

# What a daemon over docker/thinpool is told.
direct_lvm_options=(dm.thinpooldev=/dev/mapper/docker-thinpool
    dm.use_deferred_removal=true dm.use_deferred_deletion=true)

# start_docker [STORAGE-OPTION…]: daemon.json, and a daemon that answers
start_docker() {
    mkdir -p /etc/docker
    jq -n '{"storage-driver": "devicemapper", "storage-opts": $ARGS.positional,
            "iptables": false, "bridge": "none"}' --args "$@" >/etc/docker/daemon.json
    systemctl start containerd docker.socket docker
    docker version >/dev/null
}

stop_docker() {
    systemctl stop docker.socket docker containerd
}
