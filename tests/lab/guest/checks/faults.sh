#!/bin/bash
# What goes wrong while a plan is reviewed or runs: LVM that fails midway, asks, complains and does
# nothing, takes long; two at once; no room for the journal, or the journal on the pool itself; a disk that
# fills or vanishes meanwhile; a plan of another version or host; a stop in the middle. Nothing is lost,
# nothing stays suspended, and the message says what stands.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
. "$LAB/guest/witness.sh"

pool=$(pool_name)
both() { echo "$(total_of "$pool") $(metadata_of "$pool")"; }
ok "a container writes" start_writer shop-web-1

# lvm_is SCRIPT: until lvm_back a call of lvm that changes something is this; looks are as ever
lvm=$(readlink -f /usr/sbin/lvm)
cp -a "$lvm" /var/tmp/lvm.real
lvm_is() {
    cat >/var/tmp/lvm.new <<SCRIPT
#!/bin/bash
case " \$* " in *" lvextend "*|*" pvcreate "*|*" vgextend "*) ;; *) exec -a lvm /var/tmp/lvm.real "\$@" ;; esac
real() { (exec -a lvm /var/tmp/lvm.real "\$@"); }
$1
SCRIPT
    chmod 755 /var/tmp/lvm.new && mv /var/tmp/lvm.new "$lvm"
}
lvm_back() { cp -a /var/tmp/lvm.real /var/tmp/lvm.new && mv /var/tmp/lvm.new "$lvm"; }

before=$(both)
lvm_is 'echo "  WARNING: something is odd here" >&2; exit 0'
says "LVM that complains, does nothing and exits with 0" 4 "data blocks" thinscope grow --data +8M --yes="$pool"
equal "nothing has changed" "$before" "$(both)"
contains "the journal has its words" "something is odd here" "$(thinscope journal "$(thinscope journal --json | jq -r '.runs[-1].id')")"

lvm_is 'read -r -p "Really? [y/n] " answer || { echo "no answer" >&2; exit 5; }; real "$@"'
says "LVM that asks gets no answer" 4 "no answer" within 60 thinscope grow --data +8M --yes="$pool"
equal "nothing has changed" "$before" "$(both)"

lvm_is 'case " $* " in *" --poolmetadatasize "*) real "$@" ;; *) echo "  device-mapper: reload ioctl failed: Cannot allocate memory" >&2; exit 5 ;; esac'
says "LVM that fails midway is told with its words" 4 "Cannot allocate memory" thinscope grow --data +8M --metadata +4M --yes="$pool"
equal "the first step stands, the second was not done" "${before% *} $((${before#* } + 1024))" "$(both)"
contains "and the journal says so" "failed" "$(thinscope journal | tail -n 1)"
says "what failed is closed" 0 "nothing is unfinished" thinscope resume
ok "nothing is suspended" nothing_suspended

# one that takes long: it is waited for, a second thinscope waits for the first
lvm_is 'sleep 6; real "$@"'
before=$(both)
thinscope grow --data +8M --yes="$pool" >/tmp/first.log 2>&1 &
first=$!
ok "the first is at it" eventually 30 pgrep -f 'lvextend -l'
thinscope grow --data +8M --yes="$pool" >/tmp/second.log 2>&1
second=$?
wait "$first"
equal "of two at once the first is done" 0 $?
case $second in
0) equal "and the second after it" "$((${before% *} + 32)) ${before#* }" "$(both)" ;;
*) equal "or the second is refused with the reason" "1 $((${before% *} + 16)) ${before#* }" "$second $(both)" && cat /tmp/second.log ;;
esac

# SIGTERM and ctrl-c in the middle: this step is finished, the next is not begun
for signal in TERM INT; do
    before=$(both)
    setsid bash -c "exec thinscope grow --data +8M --metadata +4M --yes=$pool" >/tmp/stopped.log 2>&1 &
    ok "$signal: the first step is begun" eventually 30 pgrep -f 'lvextend --poolmetadatasize'
    pid=$(pgrep -o -x thinscope)
    kill -"$signal" "$pid"
    wait $!
    equal "$signal: it stopped for that" 5 $?
    equal "$signal: after the first step" "${before% *} $((${before#* } + 1024))" "$(both)"
    lvm_back
    says "$signal: resume goes on" 0 "" thinscope resume
    equal "$signal: with the second" "$((${before% *} + 16)) $((${before#* } + 1024))" "$(both)"
    lvm_is 'sleep 6; real "$@"'
done
lvm_back

# the journal
before=$(both)
mkdir -p /mnt/small && mount -t tmpfs -o size=16k none /mnt/small
head -c 16384 /dev/zero >/mnt/small/full 2>/dev/null
says "without room for the journal nothing begins" 1 "" thinscope grow --data +8M --state-dir /mnt/small/state --yes="$pool"
umount /mnt/small
dmsetup message "$pool" 0 "create_thin 9300"
dmsetup create --noudevsync own --table "0 524288 thin /dev/mapper/$pool 9300"
node=/dev/dm-$(dmsetup info -c --noheadings -o minor own)
mkfs.ext4 -q "$node" && mkdir -p /mnt/own && mount "$node" /mnt/own
says "a journal on the pool itself is refused" 1 "/mnt/own" thinscope grow --data +8M --state-dir /mnt/own/state --yes="$pool"
refused "and nothing is written there" test -e /mnt/own/state
umount /mnt/own && dmsetup remove --retry own && dmsetup message "$pool" 0 "delete 9300"
equal "nothing has changed" "$before" "$(both)"

# between review and run
ok "a plan with a disk is saved" thinscope grow --data +8M --add-pv /dev/vdc --save /tmp/disk.json
mkfs.ext4 -q -L late /dev/vdc
says "a disk that got a filesystem meanwhile is not taken" 1 "ext4" thinscope apply /tmp/disk.json --yes="$pool"
equal "and is as it was" late "$(blkid -s LABEL -o value /dev/vdc)"
wipefs -q -a /dev/vdc
ok "a plan with another disk is saved" thinscope grow --data +8M --add-pv /dev/vdd --save /tmp/gone.json
remove_disk() { echo 1 >"$(readlink -f /sys/block/vdd/device/..)/remove"; }
remove_disk && eventually 10 not test -e /dev/vdd
says "a disk that vanished" 1 "/dev/vdd" thinscope apply /tmp/gone.json --yes="$pool"
echo 1 >/sys/bus/pci/rescan
jq '.basis.version = "0.0.1" | .plan.basis.version = "0.0.1"' /tmp/disk.json >/tmp/old.json
says "a plan of another version" 1 "0.0.1" thinscope apply /tmp/old.json --yes="$pool"
jq '.basis.host = "elsewhere" | .plan.basis.host = "elsewhere"' /tmp/disk.json >/tmp/other.json
says "a plan of another host" 1 "elsewhere" thinscope apply /tmp/other.json --yes="$pool"
head -c 200 /tmp/disk.json >/tmp/cut.json
says "a plan that was cut" 1 "" thinscope apply /tmp/cut.json --yes="$pool"
equal "nothing has changed" "$before" "$(both)"

# by hand: the script does the same as the plan
ok "a script is written" thinscope grow --data +8M --metadata +4M --script /tmp/by-hand.sh
ok "it runs" sh -e /tmp/by-hand.sh
equal "and does what the plan says" "$((${before% *} + 16)) $((${before#* } + 1024))" "$(both)"
ok "the writer goes on to the end" goes_on shop-web-1
ok "no line of it is missing" whole shop-web-1
ok "nothing is suspended at the end" nothing_suspended
