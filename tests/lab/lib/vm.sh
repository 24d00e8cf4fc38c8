# shellcheck shell=bash disable=SC2154,SC2034 # parts of one script: lab
# One virtual machine: its disks, its ports, its start, its saving, its end.
#
# A machine lives in a folder: root.qcow2 and disk1..4.qcow2 (overlays), job.img (what it is to
# do), ctl (its own words: READY, EXIT), log (its script's output), out.tar (results),
# console.log. A saved machine has state.zst too: its memory, to go on from.

disks=4
disk_size=10G
job_disk_size=1G
memory=2048
accelerator=tcg,thread=multi
# The same on every machine, so that a saved state may be cached elsewhere.
processor=qemu64,+rdrand,+popcnt,+ssse3,+sse4.1,+sse4.2

# Overlays over another machine's disks. new_disks FOLDER BASE-FOLDER, relative so that a cache may move
new_disks() {
    local folder=$1 base=$2 name
    for name in root $(seq -f 'disk%g' "$disks"); do
        qemu-img create -q -f qcow2 -F qcow2 -b "$base/$name.qcow2" "$folder/$name.qcow2"
    done
}

# The first machine's: an overlay over the root image, and blank disks.
first_disks() {
    local folder=$1 image=$2 n
    qemu-img create -q -f qcow2 -F raw -b "$image" "$folder/root.qcow2"
    for n in $(seq "$disks"); do qemu-img create -q -f qcow2 "$folder/disk$n.qcow2" "$disk_size"; done
}

# qemu_of FOLDER VMLINUZ-FOLDER [ARGUMENT…]: what starts the machine
qemu_of() {
    local folder=$1 boot=$2 n drives=() disk
    shift 2
    for disk in root $(seq -f 'disk%g' "$disks"); do
        drives+=(-drive "if=none,id=$disk,file=$folder/$disk.qcow2,cache=unsafe,discard=unmap"
            -device "virtio-blk-pci,drive=$disk,serial=lab-$disk")
    done
    local ports=(-device virtio-serial-pci)
    for n in ctl log out; do
        ports+=(-chardev "file,id=$n,path=$folder/$n" -device "virtserialport,chardev=$n,name=lab.$n")
    done
    qemu_command=(qemu-system-x86_64 -accel "$accelerator" -cpu "$processor"
        -smp 2 -m "$memory" -nodefaults -display none -no-reboot -net none
        -kernel "$boot/vmlinuz" -initrd "$boot/initramfs"
        -append "console=ttyS0 panic=-1 oops=panic rw mitigations=off audit=0 apparmor=0 loglevel=4 systemd.show_status=0"
        "${drives[@]}"
        -drive "if=none,id=job,file=$folder/job.img,format=raw,readonly=on"
        -device "virtio-blk-pci,drive=job,serial=job"
        "${ports[@]}" "$@")
}

# no_job FOLDER: a job disk with nothing on it
no_job() { truncate -s "$job_disk_size" "$1/job.img"; }

# give_job FOLDER KIND TREE: the job disk from the folder TREE (env, arguments, script, …)
give_job() {
    local folder=$1 kind=$2 tree=$3 size
    rm -f "$folder/job.img"
    tar -c -C "$tree" --owner=0 --group=0 . >"$folder/job.tar"
    size=$((($(stat -c %s "$folder/job.tar") + 1048575) / 1048576))
    [ "$size" -lt 1000 ] || die "the files to add are too large ($size MiB)"
    echo "LABJOB $RANDOM$RANDOM $kind $(date +%s) $size" >"$folder/job.img"
    dd if="$folder/job.tar" of="$folder/job.img" bs=1M seek=1 status=none
    truncate -s "$job_disk_size" "$folder/job.img"
    rm "$folder/job.tar"
}

# The arguments that make a machine go on from a saved one: resume_of SAVED-FOLDER
resume_of() { resume=(-incoming "exec:zstd -dcq '$1/state.zst'"); }

# wait_for FOLDER PID PATTERN SECONDS: until the machine says so; 1 when it ended, 2 when too late
wait_for() {
    local folder=$1 pid=$2 pattern=$3 deadline=$((SECONDS + $4))
    while ! grep -qs "$pattern" "$folder/ctl"; do
        kill -0 "$pid" 2>/dev/null || return 1
        [ "$SECONDS" -lt "$deadline" ] || return 2
        sleep 0.1
    done
}

# start_saveable FOLDER BOOT [ARGUMENT…]: starts a machine that save_machine can save; sets vm_pid
start_saveable() {
    local folder=$1 boot=$2
    shift 2
    mkfifo "$folder/monitor.in" "$folder/monitor.out"
    qemu_of "$folder" "$boot" -serial "file:$folder/console.log" \
        -chardev "pipe,id=monitor,path=$folder/monitor" -mon chardev=monitor \
        -global migration.store-global-state=off "$@" # else it would wake up stopped
    "${qemu_command[@]}" </dev/null 2>"$folder/qemu.log" &
    vm_pid=$!
    cat "$folder/monitor.out" >"$folder/monitor.log" &
    exec {monitor}>"$folder/monitor.in"
}

# save_machine FOLDER: memory into state.zst, and the machine ends
save_machine() {
    local folder=$1
    # Stopped before: the emulator loses writes of a processor that runs on while memory is copied
    # (seen as faults in the kernel of a machine that was woken up).
    printf '%s\n' stop 'migrate_set_parameter max-bandwidth 100G' \
        "migrate \"exec:zstd -q -3 -T2 -o '$folder/state.zst'\"" 'info migrate' quit >&"$monitor"
    exec {monitor}>&-
    wait "$vm_pid"
    rm -f "$folder/monitor.in" "$folder/monitor.out" "$folder/job.img" "$folder/out" "$folder/log"
    grep -q '^Migration status: completed' <(tr -d '\r' <"$folder/monitor.log") || {
        tail -n 5 "$folder/monitor.log" "$folder/qemu.log" >&2
        return 1
    }
}

# end_machine PID: only ever the one that we started
end_machine() {
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}
