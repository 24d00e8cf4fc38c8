#!/bin/bash
# Makes the initramfs: a static busybox and the disk drivers. Usage: initramfs.sh ROOT FILE
set -euo pipefail
root=$1 file=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{bin,dev,proc,sys,mnt,modules}
cp "$(command -v busybox)" "$work/bin/busybox"
modules=(virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk)
for module in "${modules[@]}"; do
    path=$(find "$root/usr/lib/modules" -name "$module.ko" | head -n 1)
    [ -z "$path" ] || cp "$path" "$work/modules/"
done
cat >"$work/init" <<INIT
#!/bin/busybox sh
b=/bin/busybox
\$b mount -t devtmpfs dev /dev
for m in ${modules[*]}; do [ ! -f /modules/\$m.ko ] || \$b insmod /modules/\$m.ko; done
n=0
while [ ! -b /dev/vda ] && [ \$n -lt 100 ]; do n=\$((n + 1)); \$b usleep 50000; done
\$b mount -t ext4 /dev/vda /mnt || { \$b echo "lab: no root disk"; exit 1; }
\$b mount --move /dev /mnt/dev
exec \$b switch_root /mnt /sbin/init
INIT
chmod 755 "$work/init"
(cd "$work" && find . | cpio --quiet -o -H newc | gzip -1) >"$file"
