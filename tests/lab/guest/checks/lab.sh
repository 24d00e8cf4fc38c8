#!/bin/bash
# The lab keeps its promises: what a Docker host has, and the troubles with their undoing.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"

state() { docker inspect -f '{{.State.Status}}' "$1"; }
suspended() { cat "/sys/block/$(basename "$(readlink -f "/dev/mapper/$1")")/dm/suspended"; }

equal "one container runs" running "$(state shop-web-1)"
equal "one is paused" paused "$(state shop-worker-1)"
equal "one has ended" exited "$(state nightly-report)"
equal "one never ran" created "$(state app-next)"
equal "two tags are one image" "$(docker inspect -f '{{.Id}}' shop/web:1.4)" "$(docker inspect -f '{{.Id}}' shop/web:latest)"
equal "one image is dangling" 1 "$(docker images -qf dangling=true | wc -l)"
ok "a BuildKit layer has a name of 25 characters" sh -c \
    'cat /var/lib/docker/image/devicemapper/layerdb/sha256/*/cache-id | grep -qo "^[0-9a-z]\{25\}"' 
equal "dmeventd watches the pool" monitored "$(lvs --noheadings -o seg_monitor docker/thinpool | tr -d ' ')"

web=$(thin_of shop-web-1)
suspend_thin "$web"
equal "a thin device is suspended" 1 "$(suspended "$web")"
refused "lvs without its hints hangs then" within 8 lvs --config 'devices{hints="none"}'
resume_thin "$web"
ok "and answers after the undo" within 30 lvs

suspend_pool
equal "the pool is suspended" 1 "$(suspended docker-thinpool)"
resume_pool
equal "and resumed" 0 "$(suspended docker-thinpool)"

hold_vg_lock docker
refused "lvs hangs with the lock held" within 8 lvs
release_vg_lock
ok "and answers after the undo" within 30 lvs

kill_docker
refused "a killed daemon does not answer" within 5 docker version
ok "its containers go on" kill -0 "$(pgrep -f 'sleep 1000000' | head -n 1)"
revive_docker
ok "a revived one answers" within 30 docker version
