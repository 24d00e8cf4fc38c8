#!/bin/bash
# Makes the guest's root file system, kernel and initramfs in a new folder.
# Usage (as root): root.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
out=$1
suite=bookworm
root=$out/root
mkdir -p "$out"

# The mirror of this machine, if it serves the guest's Debian; else debootstrap's own choice.
mirror_of() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 2>/dev/null |
        awk -v want="$1" '$2 == want { print $1; exit }'
}
mirror=${THINSCOPE_LAB_MIRROR:-$(mirror_of "$suite")}
security=$(mirror_of "$suite-security")

in_root() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
unmount_root() { umount "$root/proc" "$root/dev" 2>/dev/null || true; }
trap unmount_root EXIT

echo "root: debootstrap"
debootstrap --variant=minbase "$suite" "$root" ${mirror:+"$mirror"} >"$out/debootstrap.log" 2>&1 ||
    { tail -n 5 "$out/debootstrap.log"; exit 1; }

# The machine's own way to the mirror (a proxy, certificates) is good for the guest's apt too.
cp /etc/resolv.conf "$root/etc/resolv.conf"
[ -z "$security" ] || echo "deb $security $suite-security main" >>"$root/etc/apt/sources.list"
apt-config dump | grep -iE '^Acquire::(http|https)::[^:]*proxy' >"$root/etc/apt/apt.conf.d/99proxy" || true
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe"
printf 'path-exclude=/usr/share/%s/*\n' doc man locale info >"$root/etc/dpkg/dpkg.cfg.d/small"

echo "root: packages"
{
    in_root apt-get -q update
    mapfile -t packages < <(grep -v '^#' "$here/make/packages")
    in_root apt-get -qy --no-install-recommends install "${packages[@]}"
} >"$out/apt.log" 2>&1 || { tail -n 5 "$out/apt.log"; exit 1; }

echo "root: kernel"
kernel=$(in_root apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" { print $2; exit }')
in_root sh -c "cd /tmp && apt-get -q download $kernel" >>"$out/apt.log" 2>&1
# Unpacked aside: straight into the root, the package's /lib would replace the link to usr/lib.
dpkg -x "$root/tmp/$kernel"_*.deb "$out/kernel"
release=$(basename "$out"/kernel/lib/modules/*)
mkdir -p "$root/usr/lib/modules"
mv "$out/kernel/lib/modules/$release" "$root/usr/lib/modules/"
mv "$out/kernel/boot/vmlinuz-$release" "$out/vmlinuz"
rm -rf "$out/kernel"
in_root depmod "$release"
rm -rf "$root/tmp/"* "$root/var/cache/apt/"*.bin "$root/var/cache/apt/archives/"*.deb \
    "$root/var/lib/apt/lists/"* "$root/etc/apt/apt.conf.d/99proxy" "$root/etc/apt/sources.list"
unmount_root

"$here/make/guest.sh" "$root"
"$here/make/initramfs.sh" "$root" "$out/initramfs"

echo "root: disk image"
truncate -s 6G "$out/root.img"
mke2fs -q -t ext4 -L root -E lazy_itable_init=1,lazy_journal_init=1 -d "$root" "$out/root.img"
rm -rf "$root"
