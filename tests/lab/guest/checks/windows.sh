#!/bin/bash
# How long a pool is suspended by a growth, as sysfs says it, and how long a writer waits for it: ours, LVM's
# own lvextend, and the three commands of the documents. On a host without pools: two are made.
. "$LAB/guest/check.sh"
. "$LAB/guest/witness.sh"
rounds=${1:-5}
folder=/var/tmp/windows && mkdir -p $folder
stop=$folder/stop

# direct_writer DEVICE: writes 4 KiB at a time past the page cache until $stop is there, and says how many
# milliseconds the longest took
cat >$folder/writer.pl <<'PERL'
my ($device, $stop) = @ARGV;
sysopen my $f, $device, 1 | 040000 or die "$device: $!";
my $buffer = "\x5a" x 8192;
my $offset = (4096 - unpack("J", pack "p", $buffer) % 4096) % 4096;
sub now { my $t = "\0" x 16; syscall 228, 1, $t; my ($s, $n) = unpack "qq", $t; $s * 1000 + $n / 1e6 }
my ($at, $worst) = (0, 0);
until (-e $stop) {
    sysseek $f, $at, 0;
    my $began = now();
    syswrite($f, $buffer, 4096, $offset) == 4096 or die "$device: $!";
    my $took = now() - $began;
    $worst = $took if $took > $worst;
    $at = ($at + 4096) % 4194304;
}
printf "%.0f\n", $worst;
PERL
# watched POOL THIN COMMAND…: two figures: milliseconds that sysfs said suspended meanwhile, and those of the
# longest write
watched() {
    local state writer thin=$2
    state=/sys/block/dm-$(dmsetup info -c --noheadings -o minor "$1")/dm/suspended
    shift 2
    rm -f $stop
    (
        was=0 spent=0
        while [ ! -e $stop ]; do
            read -r now <"$state"
            if [ "$now" != "$was" ]; then
                at=${EPOCHREALTIME/./}
                if [ "$now" = 1 ]; then began=$at; else spent=$((spent + at - began)); fi
                was=$now
            fi
        done
        echo $((spent / 1000)) >$folder/spent
    ) &
    watcher=$!
    perl $folder/writer.pl "$thin" $stop >$folder/longest &
    writer=$!
    sleep 0.3
    "$@" >/tmp/watched.log 2>&1 || { cat /tmp/watched.log >&2; failed=$((failed + 1)); }
    touch $stop
    wait "$watcher"
    wait "$writer" || failed=$((failed + 1))
    echo "$(cat $folder/spent) $(cat $folder/longest)"
}
# median_worst COLUMN FILE
median_worst() { cut -d ' ' -f "$1" "$2" | sort -n | awk '{ v[NR] = $1 } END { printf "median %d ms, worst %d ms", v[int((NR + 1) / 2)], v[NR] }'; }
# figure NAME POOL THIN COMMAND…: over all rounds
figure() {
    local name=$1 pool=$2 thin=$3 n
    shift 3
    : >"$folder/$name"
    for n in $(seq "$rounds"); do watched "$pool" "$thin" "$@" >>"$folder/$name"; done
    echo "figure: $name: suspended $(median_worst 1 "$folder/$name"); longest direct write $(median_worst 2 "$folder/$name")"
}

pvcreate -q /dev/vdb && vgcreate -q t /dev/vdb
lvcreate -q -y -L 512M -T t/p --poolmetadatasize 16M -c 64K
lvcreate -q -y -V 1G -T t/p -n v
truncate -s 512M $folder/data && truncate -s 8M $folder/meta
meta=$(losetup -f --show $folder/meta) data=$(losetup -f --show $folder/data)
dmsetup create own --table "0 1048576 thin-pool $meta $data 128 0 1 skip_block_zeroing"
dmsetup message own 0 "create_thin 0"
dmsetup create own-thin --table "0 1048576 thin /dev/mapper/own 0"

documents() {
    local size
    truncate -s +8M $folder/data && losetup -c "$data"
    size=$(blockdev --getsz "$data")
    dmsetup suspend own
    dmsetup reload own --table "0 $size thin-pool $meta $data 128 0 1 skip_block_zeroing"
    dmsetup resume own
}
figure ours-own own /dev/mapper/own-thin thinscope grow own --data +8M --yes=own
figure documents own /dev/mapper/own-thin documents
figure lvextend t-p-tpool /dev/t/v lvextend -q -L +8M t/p
figure ours-lvm t-p-tpool /dev/t/v thinscope grow t/p --data +8M --yes=t/p
figure nothing own /dev/mapper/own-thin sleep 1
worst() { cut -d " " -f 1 "$folder/$1" | sort -n | tail -n 1; }
median() { cut -d " " -f 1 "$folder/$1" | sort -n | sed -n "$(((rounds + 1) / 2))p"; }
ok "ours is suspended for less than the documents' commands" test "$(median ours-own)" -lt "$(median documents)"
ok "and never for a second" test "$(worst ours-own)" -lt 1000
ok "nothing is suspended at the end" nothing_suspended
