#!/bin/bash
# What monitoring systems see of a real host: check's states from healthy to hung, figures equal to
# device-mapper's own, and events as they really happen, dmeventd's message and the kernel's among
# them.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
mkdir -p /results/monitor && cd /results/monitor || exit 1

pool=$(pool_name)
field() { dmsetup status --noflush "$pool" | awk -v n="$1" '{ print $n }'; }
check() { # check NAME EXPECTED ARGUMENTS…: the exit code and one line, within the limit
    local name=$1 expected=$2 began=$SECONDS status
    shift 2
    timeout 30 thinscope check "$@" >"$name.txt" 2>"$name.err"
    status=$?
    equal "$name: exits with $expected" "$expected" "$status"
    equal "$name: one line" 1 "$(wc -l <"$name.txt")"
    ok "$name: within 11 s" test $((SECONDS - began)) -le 11
    echo "  $(cut -c 1-150 "$name.txt")"
}
says() { ok "$1: says $2" grep -q -- "$2" "$1.txt"; }

# --- check ---
sync && sleep 2
# Docker's documented layout leaves less free than its own autoextend asks for
check cramped 1
says cramped autoextend-cannot-act
ok "the group gets room" vgextend -q docker /dev/vdc
check healthy 0
says healthy "THINSCOPE OK: $pool data"
used=$(field 6) bytes=$(($(dmsetup table "$pool" | awk '{ print $6 }') * 512))
ok "healthy: used bytes are the kernel's" grep -q "data used'=$((${used%/*} * bytes))B;;;0;$((${used#*/} * bytes)) " healthy.txt
check narrow 1 -w 0:0
check narrower 2 -w 0:0 -c 0:0

suspend_pool "$pool"
check suspended 2
says suspended pool-suspended
resume_pool "$pool"

hold_vg_lock docker
check lock-held 3
says lock-held UNKNOWN
release_vg_lock

lvchange --monitor n docker/thinpool >/dev/null 2>&1
check unmonitored 1
says unmonitored not-monitored
lvchange --monitor y docker/thinpool >/dev/null 2>&1

mv /usr/sbin/lvm /usr/sbin/lvm.away
printf '#!/bin/sh\nexec sleep 1000000\n' >/usr/sbin/lvm && chmod +x /usr/sbin/lvm
check lvm-hangs 3 -t 5
mv /usr/sbin/lvm.away /usr/sbin/lvm
setpriv --reuid=65534 --regid=65534 --clear-groups timeout 30 thinscope check >nobody.txt 2>/dev/null
equal "without root: UNKNOWN" 3 $?
check healthy-again 0
sleep 1
ok "no process of ours is left" bash -c '! pgrep -x thinscope'

# --- figures ---
mkdir -p textfile
ok "figures are written" thinscope metrics --output textfile/thinscope.prom
equal "for everybody's eyes" 644 "$(stat -c %a textfile/thinscope.prom)"
value() { grep -F "thinscope_pool_$1{pool=\"$pool\"} " textfile/thinscope.prom | awk '{ print $NF }'; }
used=$(field 6) meta=$(field 5)
equal "data in use is the kernel's" $((${used%/*} * bytes)) "$(value data_used_bytes)"
equal "metadata in all is the kernel's" $((${meta#*/} * 4096)) "$(value metadata_size_bytes)"
equal "the chunk is the table's" "$bytes" "$(value chunk_size_bytes)"
equal "the transaction is the kernel's" "$(field 4)" "$(value transaction_id)"
equal "it is monitored" 1 "$(value monitored)"
equal "containers are docker's" "$(docker ps -aq | wc -l)" \
    "$(grep -F "thinscope_pool_devices{pool=\"$pool\",role=\"container\"}" textfile/thinscope.prom | awk '{ print $NF }')"
mkdir small && mount -t tmpfs -o size=8k none small
head -c 4096 /dev/zero >small/thinscope.prom
thinscope metrics --output small/thinscope.prom 2>full.err
equal "on a full disk it fails" 4 $?
equal "and leaves what was there" 4096 "$(stat -c %s small/thinscope.prom)"
equal "and nothing else" 1 "$(find small -type f | wc -l)"
umount small

# --- events ---
thinscope watch --json >events.json 2>watch.err &
watch=$!
happened() { jq -e -s --arg k "$1" --arg s "$2" 'any(.[]; .kind == $k and ((.subject + " " + .text) | contains($s)))' events.json; }
ok "it says what is there" eventually 30 happened begin "$pool"
suspend_pool "$pool"
ok "a suspend is told" eventually 20 happened suspend "suspended"
resume_pool "$pool"
ok "a resume is told" eventually 20 happened suspend "resumed"
docker stop -t 1 shop-web-1 >/dev/null
ok "a container that stops is told" eventually 60 happened container "shop-web-1 from running to exited"
docker start shop-web-1 >/dev/null
# a message alone raises no event: the device made of it does
dmsetup message "$pool" 0 'create_thin 9200'
dmsetup create --noudevsync leak --table "0 20971520 thin /dev/mapper/$pool 9200"
ok "a leak is told as a finding" eventually 60 happened finding device-leaked
dmsetup remove --retry leak
dmsetup message "$pool" 0 'delete 9200'
# a small pool that fills to where LVM's monitor grows it
printf 'activation {\n thin_pool_autoextend_threshold=80\n thin_pool_autoextend_percent=20\n}\n' >/etc/lvm/profile/mon.profile
vgcreate -q mon /dev/vde >/dev/null && lvcreate -q -L 256M -T mon/pool >/dev/null
lvchange -q --metadataprofile mon mon/pool && lvcreate -q -V 1G -T mon/pool -n thin >/dev/null
ok "a pool that comes is told" eventually 60 happened pool "mon-pool-tpool is there"
ok "a volume that comes is told" eventually 60 happened volume "mon/thin came"
dd if=/dev/zero of=/dev/mon/thin bs=1M count=224 oflag=direct status=none
ok "the fill is told" eventually 30 happened fill "mon-pool-tpool data"
ok "the device that grew is told, and how fast" eventually 30 happened growth "/s"
ok "low water is told in the kernel's own words" eventually 30 happened low-water "reached low water mark"
ok "the monitor's words are told" eventually 90 happened lvm "pool"
ok "it grows, and that is told" eventually 90 happened pool "data grew from 256 MiB"
# from the kernel's own moment to ours
raised=$(journalctl -k -o json --output-fields=MESSAGE | jq -r 'select(.MESSAGE | tostring | test("reached low water")) | .__REALTIME_TIMESTAMP' | tail -n 1)
told=$(jq -r 'select(.text | contains("reached low water mark")) | .time' events.json | tail -n 1)
echo "figure: from the kernel's event to its line in watch: $(($(date -d "$told" +%s%3N) - raised / 1000)) ms, at most 200"
kill -TERM "$watch"
wait "$watch"
equal "a signal ends it cleanly" 0 $?
ok "each line is JSON of format 1" jq -e -s 'all(.[]; .format == 1 and .time and .kind and .subject and .text)' events.json
ok "nothing of ours is left" eventually 5 bash -c '! pgrep -x thinscope && ! pgrep -x journalctl'
refused "ending it is no event" happened end watch
thinscope watch | head -n 1 >/dev/null
ok "a watch that nobody reads ends" eventually 5 bash -c '! pgrep -x thinscope'
jq -r '"  \(.time) \(.kind) \(.subject): \(.text)"' events.json | cut -c 1-160
vgremove -q -f mon >/dev/null 2>&1
# --- history ---
ls -l /var/lib/thinscope
thinscope pool "$pool" | grep -E 'History|Forecast'
ok "the history says where it is and how large" bash -c "thinscope pool $pool | grep -q 'History: /var/lib/thinscope/history: .* looks, .* of at most 4.0 MiB'"
# --- figures ---
for _ in 1 2 3; do lvs >/dev/null; thinscope check >/dev/null; done
time_of() { # time_of COMMAND…: milliseconds, the median of nine
    local n
    for n in 1 2 3 4 5 6 7 8 9; do
        local began=$(date +%s%N)
        "$@" >/dev/null 2>&1
        echo $((($(date +%s%N) - began) / 1000000))
    done | sort -n | sed -n 5p
}
lvs_ms=$(time_of lvs) check_ms=$(time_of thinscope check)
echo "figure: check $check_ms ms, one lvs $lvs_ms ms: $((check_ms * 100 / lvs_ms)) %, at most 125 %"
