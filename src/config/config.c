/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config/config.h"

/* Everything that users may set. Help, manual, completion, summary, JSON and mkosi.default.example come out of this
 * table; a new setting is a member in config.h and a row here. */

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

#define PARTITION_PLANNED "images have no such partition yet"

static const SettingSection sections[] = {
        { "Distribution", "Which distribution is installed, and from where." },
        { "Output", "What is made of it, and under which name." },
        { "Packages", "What goes into the image besides the distribution's base." },
        { "Partitions",
          "Sizes of the partitions of a disk image: whole bytes, or with suffix K, M or G (powers of 1024)." },
        { "Validation", "How the image is protected, and how users can tell that it is what was built." },
        { "Host", "The machine that builds." },
};

/* clang-format off */
static const Setting rows[] = {
        { .section = "Distribution", .name = "Distribution", .option = "distribution", .letter = 'd',
          SETTING_MEMBER(Config, distribution, enum), .words = distribution_words,
          .default_about = "the host's",
          .help = "distribution to install",
          .about = "The distribution that is installed into the image. Without it, the image gets that of the host, "
                   "as its os-release file names it. clear is understood, and refused when an image is built." },
        { .section = "Distribution", .name = "Release", .option = "release", .letter = 'r',
          SETTING_MEMBER(Config, release, text), .metavar = "RELEASE",
          .default_about = "the host's, if it has the same distribution; else trixie for debian, resolute for "
                           "ubuntu, tumbleweed for opensuse, 44 for fedora, 10 for centos, alma and rocky, 9 for mageia",
          .help = "release of the distribution",
          .about = "The release by the name that the package archive knows: for Debian and Ubuntu a suite such as "
                   "bookworm, unstable or noble; for openSUSE tumbleweed, or a version of Leap such as 15.6; for "
                   "Fedora a number, or rawhide; for its relatives a number. Without it, an image of the host's "
                   "own distribution gets the host's release; on another host it is the stable release, for Ubuntu "
                   "the one with long-term support, when this version was made. Arch has no releases and ignores it." },
        { .section = "Distribution", .name = "Mirror", .option = "mirror", .letter = 'm',
          SETTING_MEMBER(Config, mirror, text), .metavar = "URL",
          .default_about = "http://deb.debian.org/debian for debian, http://archive.ubuntu.com/ubuntu or, for other "
                           "architectures than x86, http://ports.ubuntu.com/ubuntu-ports for ubuntu, "
                           "https://download.opensuse.org for opensuse, https://geo.mirror.pkgbuild.com for arch; "
                           "else a list of mirrors",
          .help = "URL of the package archive",
          .about = "The URL from which packages are fetched while the image is built. Signatures are checked with "
                   "the distribution's keys whatever the mirror is. For openSUSE it is what has tumbleweed/ and "
                   "distribution/ below it, for Fedora what has releases/ and updates/, for CentOS what has "
                   "10-stream/, for Alma and Rocky what has 10/, for Mageia what has distrib/, for Arch what is before $repo in lists of mirrors. "
                   "What begins with file:/// is a directory of this machine; a signature that its index has "
                   "(repomd.xml.asc) is checked." },
        { .section = "Distribution", .name = "Repositories", .option = "repositories",
          SETTING_MEMBER(Config, repositories, list), .metavar = "NAMES", .flags = SETTING_LATER_REPLACES,
          .default_about = "main for debian and ubuntu, with Bootable=yes universe as well for ubuntu; oss and "
                           "update for opensuse; fedora and updates for fedora; baseos and appstream for centos, alma and rocky; "
                           "release and updates for mageia; core and extra for arch",
          .help = "archive components or repositories to use",
          .about = "For Debian and Ubuntu the components of the archive (main, contrib, non-free-firmware …), for "
                   "other distributions the identifiers of repositories: oss, update, non-oss; fedora, updates, "
                   "updates-testing, rawhide; baseos, appstream, crb, extras; release, updates; core, extra, "
                   "multilib. What is given here replaces the default: a list without main installs nothing from "
                   "main. Of several files the last one counts; what the command line names is added in front." },
        { .section = "Distribution", .name = "RepositoryKeys", .option = "repository-key",
          SETTING_MEMBER(Config, repository_keys, path_list),
          .default_about = "mkosi.keys/ is added if it exists; else the keys that a package of the host has",
          .help = "public keys that sign packages",
          .about = "Files with public keys of OpenPGP in ASCII armour (for Arch in any form), or directories of such "
                   "files. Every package must be signed by one of them, for openSUSE the index of a repository as "
                   "well; anything else is refused. They replace the keys that packages of the host "
                   "(distribution-gpg-keys, archlinux-keyring) have, or, for rpm, /etc/pki/rpm-gpg. Lists "
                   "NAME-trusted and NAME-revoked beside a file NAME.gpg count as with pacman-key(8). It has no "
                   "effect for Debian and Ubuntu, whose keys are in key rings of the host." },
        { .section = "Distribution", .name = "Architecture", .option = "architecture",
          SETTING_MEMBER(Config, architecture, enum), .words = architecture_words,
          .aliases = architecture_aliases, .default_about = "the host's",
          .help = "processor architecture of the image",
          .about = "The architecture of the packages and the type of the root partition. The names of "
                   "uname(1) and of distributions (x86_64, amd64, i386, i686, aarch64) are understood as "
                   "well. This version builds for the host's architecture only." },

        { .section = "Output", .name = "Format", .option = "format", .letter = 't',
          SETTING_MEMBER(Config, format, enum), .words = output_format_words,
          .aliases = output_format_aliases, .default_about = "gpt_ext4",
          .help = "kind of output",
          .about = "gpt_ext4, gpt_xfs, gpt_btrfs and gpt_squashfs are disk images with a GUID partition "
                   "table and a root partition of the named file system; their older names raw_gpt (or "
                   "raw_ext4), raw_xfs, raw_btrfs and raw_squashfs mean the same. plain_squashfs is a "
                   "squashfs file system without partition table, directory a plain directory, subvolume a "
                   "btrfs subvolume, tar a compressed archive. A directory or subvolume has what it is made "
                   "of below it; everything else is one file. gpt_xfs is understood and refused: an xfs file "
                   "system cannot be filled without mounting it." },
        { .section = "Output", .name = "Output", .option = "output", .letter = 'o',
          SETTING_MEMBER(Config, output, path), .default_about = "image.raw for disks, image.tar.xz for tar, else image",
          .help = "name of the image",
          .about = "The file or directory that is made. A name without a slash lies in OutputDirectory=, "
                   "any other is relative to the working directory. The name is used as it is, no suffix "
                   "is added. The working directory, what lies above it, and anything that the build "
                   "reads are refused." },
        { .section = "Output", .name = "OutputDirectory", .option = "output-dir", .letter = 'O',
          SETTING_MEMBER(Config, output_directory, path),
          .default_about = "mkosi.output/ if it exists, else the working directory",
          .help = "directory for everything that is made",
          .about = "Where the image and the files that go with it are put; it is created if it is "
                   "missing. It is not used when Output= contains a slash." },
        { .section = "Output", .name = "Force", .option = "force", .letter = 'f',
          SETTING_MEMBER(Config, force, count), .default_about = "0",
          .help = "replace what was built before",
          .about = "Once: an output that exists is replaced, in one moment, when the new one is complete; "
                   "without it, an existing output is an error before anything is built. Twice: cached "
                   "trees are built anew as well. Three times: the package cache is emptied too. In files "
                   "the value is a number. With the verb clean, each counts one step more." },
        { .section = "Output", .name = "Bootable", .option = "bootable", .letter = 'b',
          SETTING_MEMBER(Config, bootable, bool), .default_about = "no",
          .help = "make the image boot on UEFI machines",
          .about = "Adds an EFI system partition, a boot loader, a kernel and an initrd. Disk images "
                   "only. On the command line a value needs an equals sign: -b, --bootable, --bootable=no." },
        { .section = "Output", .name = "BootProtocols", .option = "boot-protocols",
          SETTING_MEMBER(Config, boot_protocols, list), .metavar = "PROTOCOLS",
          .flags = SETTING_LATER_REPLACES | SETTING_ARGUMENT_REPLACES,
          .default_about = "uefi if Bootable=yes",
          .help = "firmware that can boot the image",
          .about = "uefi, bios or both. If the command line names any, those in files do not count. This "
                   "version makes images for uefi." },
        { .section = "Output", .name = "KernelCommandLine", .option = "kernel-command-line",
          .old_options = NAMES("kernel-commandline"), SETTING_MEMBER(Config, kernel_command_line, text),
          .metavar = "PARAMETERS", .default_about = "rhgb quiet selinux=0 audit=0 rw if Bootable=yes; for a root file "
                                               "system that is read-only, ro systemd.volatile=overlay instead of rw",
          .help = "kernel command line of the image",
          .about = "The parameters with which the kernel starts; they replace the default as a whole. "
                   "Lines are joined by blanks. No root= is needed: the root partition is found by its "
                   "type. With systemd.volatile=overlay, what is written to a read-only root file system stays "
                   "in memory until the system goes down." },
        { .section = "Output", .name = "SecureBoot", .option = "secure-boot",
          SETTING_MEMBER(Config, secure_boot, bool), .default_about = "no",
          .help = "sign boot loader and kernel",
          .about = "Signs every EFI program on the EFI system partition, which are both copies of the boot "
                   "loader and all unified kernels, with SecureBootKey= and SecureBootCertificate=. Firmware "
                   "with Secure Boot that has the certificate among its keys (db) runs these programs, and "
                   "refuses them if anything in them, the kernel command line included, was changed. What is "
                   "below /usr is not signed. The verb genkey makes a key and a certificate; "
                   "SecureBootAutoEnroll= brings the certificate into the firmware." },
        { .section = "Output", .name = "SecureBootKey", .option = "secure-boot-key",
          SETTING_MEMBER(Config, secure_boot_key, path), .flags = SETTING_URI, .metavar = "PATH|URI",
          .default_about = "mkosi.secure-boot.key if SecureBoot=yes",
          .help = "private key that signs",
          .about = "The private key for SecureBoot=: a file in PEM form, which nobody may read but its owner "
                   "and group, or a URI by which a provider of OpenSSL finds it, such as "
                   "pkcs11:token=NAME;object=KEY when pkcs11-provider is active in openssl.cnf. RSA keys of "
                   "2048 to 4096 bits and the curves P-256 and P-384 are supported; all firmware knows RSA "
                   "with 2048 bits, and much of it nothing else. With an RSA key the same image gets the "
                   "same signature. The passphrase of an encrypted key, or the PIN of a token, is read from "
                   "SecureBootPassphraseFile=, or is asked for when the build begins." },
        { .section = "Output", .name = "SecureBootCertificate", .option = "secure-boot-certificate",
          SETTING_MEMBER(Config, secure_boot_certificate, path),
          .default_about = "mkosi.secure-boot.crt if SecureBoot=yes",
          .help = "certificate that goes with the key",
          .about = "The X.509 certificate for SecureBoot=, in PEM form. It goes into every signature." },
        { .section = "Output", .name = "SecureBootPassphraseFile", .option = "secure-boot-passphrase-file",
          SETTING_MEMBER(Config, secure_boot_passphrase_file, path),
          .default_about = "mkosi.secure-boot.passphrase if it exists; else it is asked for",
          .help = "file with the passphrase of the key",
          .about = "A file that holds the passphrase of SecureBootKey=, or the PIN of the token it is on, in "
                   "one line, whose end is not part of it. Nobody but its owner may have access to it: "
                   "chmod 600." },
        { .section = "Output", .name = "SecureBootSign", .option = "secure-boot-sign",
          SETTING_MEMBER(Config, secure_boot_sign, enum), .words = secure_boot_sign_words,
          .default_about = "append",
          .help = "what to do with programs signed already",
          .about = "What happens to an EFI program that is signed already, such as a boot loader that the "
                   "distribution has signed. append adds our signature behind the others, so that firmware "
                   "with either key runs it; replace takes the others away; keep leaves such a program as it "
                   "is, without our signature." },
        { .section = "Output", .name = "SecureBootAutoEnroll", .option = "secure-boot-auto-enroll",
          SETTING_MEMBER(Config, secure_boot_auto_enroll, enum), .words = secure_boot_enroll_words,
          .aliases = secure_boot_enroll_aliases, .default_about = "off",
          .help = "let systemd-boot enroll the certificate",
          .about = "Puts the certificate on the EFI system partition as the firmware's keys PK, KEK and db, "
                   "from where systemd-boot can enroll them when the firmware is in setup mode, and says in "
                   "loader.conf when it does so: manual, when it is chosen in the menu; if-safe, without "
                   "being asked in virtual machines (from systemd 253 on); force, or yes, everywhere, after "
                   "a countdown. Microsoft's keys are not among them: a machine whose graphics or network "
                   "card brings firmware that those have signed may not start any more." },
        { .section = "Output", .name = "SecureBootKeyType", .option = "secure-boot-key-type",
          SETTING_MEMBER(Config, secure_boot_key_type, enum), .words = secure_boot_key_type_words,
          .default_about = "rsa2048",
          .help = "kind of key that genkey makes",
          .about = "What the verb genkey makes: an RSA key with so many bits, or an EC key on the curve P-256 "
                   "or P-384. rsa2048 is what all firmware knows." },
        { .section = "Output", .name = "SecureBootValidDays", .option = "secure-boot-valid-days",
          SETTING_MEMBER(Config, secure_boot_valid_days, number), .metavar = "DAYS", .default_about = "730",
          .help = "how long genkey's certificate is valid",
          .about = "For how many days the certificate that genkey makes is valid. Firmware does not look at "
                   "it; whoever builds with an expired one is warned." },
        { .section = "Output", .name = "SecureBootCommonName", .option = "secure-boot-common-name",
          SETTING_MEMBER(Config, secure_boot_common_name, text), .metavar = "NAME",
          .default_about = "Secure Boot key made by mkosi",
          .help = "name in genkey's certificate",
          .about = "The common name in the certificate that genkey makes: what firmware shows of it. It has "
                   "at most 64 characters." },
        { .section = "Output", .name = "ReadOnly", .option = "read-only",
          SETTING_MEMBER(Config, read_only, bool), .default_about = "no; yes for squashfs and Verity=yes",
          .help = "mark the root file system read-only",
          .about = "Sets the read-only attribute (bit 60) of the root partition, which systemd obeys when "
                   "it mounts the partition by its type; for btrfs and subvolume, the property of the "
                   "subvolumes is set instead. squashfs is always read-only. What the system writes "
                   "goes to memory by systemd.volatile=overlay on the default kernel command line: services "
                   "that need it fail otherwise, and switching off waits for them." },
        { .section = "Output", .name = "Encrypt", .option = "encrypt", SETTING_MEMBER(Config, encrypt, enum),
          .words = encrypt_words, .aliases = encrypt_aliases, .default_about = "off",
          .help = "encrypt partitions with LUKS",
          .about = "all encrypts the root, home and server data partitions, data the latter two. Each "
                   "becomes a LUKS2 volume, encrypted by aes-xts-plain64 with a random key of 512 bits, whose "
                   "header takes 16M of the partition. The passphrase is read from PassphraseFile=, or is "
                   "asked for when the build begins. The partitions are "
                   "found by their types, and the passphrase is asked for on the console when the image "
                   "boots. Swap space and the EFI system partition are never encrypted, so that SwapSize= is "
                   "warned of: what memory holds gets there. An encrypted image is never the same twice." },
        { .section = "Output", .name = "PassphraseFile", .option = "passphrase-file",
          SETTING_MEMBER(Config, passphrase_file, path),
          .default_about = "mkosi.passphrase if it exists; else it is asked for",
          .help = "file with the passphrase for Encrypt=",
          .about = "A file that holds the passphrase in one line, whose end is not part of it. Nobody but "
                   "its owner may have access to it: chmod 600. The passphrase is neither printed nor put "
                   "anywhere but into the key slots of the volumes." },
        { .section = "Output", .name = "EncryptKDF", .option = "encrypt-kdf",
          SETTING_MEMBER(Config, encrypt_kdf, choice), .words = encrypt_kdf_words,
          .metavar = "WORD[:ITERATIONS]", .default_about = "argon2id:4",
          .help = "how the passphrase becomes a key",
          .about = "argon2id takes memory and time from who guesses passphrases, pbkdf2 (with SHA-256) "
                   "nothing but time. Behind a colon stands how often it iterates, as in pbkdf2:2000000: at "
                   "least 4 for argon2id, where 4 are usual, and 1000 for pbkdf2, where 600000 are. The "
                   "machine that builds is not measured: choose what the machines that boot the image "
                   "can bear." },
        { .section = "Output", .name = "EncryptKDFMemory", .option = "encrypt-kdf-memory",
          SETTING_MEMBER(Config, encrypt_kdf_memory, size), .default_about = "64M",
          .help = "memory that opening takes with argon2id",
          .about = "How much memory argon2id takes whenever a partition is opened: from 32K to 4G. A machine "
                   "that has less cannot open it." },
        { .section = "Output", .name = "Verity", .option = "verity", SETTING_MEMBER(Config, verity, bool),
          .default_about = "no", .help = "protect the root file system with dm-verity",
          .about = "Adds a partition with the hash tree of the root partition, and writes the root hash "
                   "beside the image, with the suffix .roothash. The root file system is read-only then. With "
                   "Bootable=yes the root hash is on the kernel command line, so that a kernel that is signed "
                   "starts this file system and no other; KernelCommandLine= is refused if it has another root." },
        { .section = "Output", .name = "VerityKey", .option = "verity-key",
          SETTING_MEMBER(Config, verity_key, path), .flags = SETTING_URI, .metavar = "PATH|URI",
          .default_about = "mkosi.verity.key if Verity=yes and it exists",
          .help = "private key that signs the root hash",
          .about = "With a key and a certificate, Verity=yes adds one more partition, with a signature of the "
                   "root hash (PKCS #7), by which systemd-nspawn(1), portable services and systemd's other users of "
                   "disk images tell who made an image before they use it; the kernel checks it if it has the "
                   "certificate in its keyring. The key is a file in PEM form, which nobody may read but its owner "
                   "and group, or a URI, as with SecureBootKey=; it may be the same key. The verb genkey makes a "
                   "key and a certificate." },
        { .section = "Output", .name = "VerityCertificate", .option = "verity-certificate",
          SETTING_MEMBER(Config, verity_certificate, path),
          .default_about = "mkosi.verity.crt if Verity=yes and it exists",
          .help = "certificate that goes with the key",
          .about = "The X.509 certificate for VerityKey=, in PEM form. It goes into the signature; machines that "
                   "are to trust the image have it in /etc/verity.d/. With SignOffline=yes it alone asks for the "
                   "signature." },
        { .section = "Output", .name = "VerityPassphraseFile", .option = "verity-passphrase-file",
          SETTING_MEMBER(Config, verity_passphrase_file, path),
          .default_about = "mkosi.verity.passphrase if it exists; else it is asked for",
          .help = "file with the passphrase of the key",
          .about = "A file that holds the passphrase of VerityKey=, or the PIN of the token it is on, in one "
                   "line, whose end is not part of it. Nobody but its owner may have access to it: chmod 600." },
        { .section = "Output", .name = "Compress", .option = "compress",
          SETTING_MEMBER(Config, compress, choice), .words = compress_words, .aliases = compress_aliases,
          .flags = SETTING_OPTIONAL_VALUE, .default_about = "yes for squashfs, else no",
          .help = "compress inside the file system",
          .about = "For squashfs and btrfs: whether file contents are compressed, or by which algorithm; yes "
                   "means zstd. btrfs knows zlib, lzo and zstd, squashfs all of them. For tar it says how the "
                   "archive is compressed (zlib means gzip, yes means xz), unless CompressOutput= or XZ= do." },
        { .section = "Output", .name = "Mksquashfs", .option = "mksquashfs",
          SETTING_MEMBER(Config, mksquashfs, words),
          .default_about = "mkosi.mksquashfs-tool if it exists",
          .help = "has no effect: no such program is used",
          .about = "Once the program in place of mksquashfs. squashfs file systems are written without a "
                   "program, so that this is read, warned of, and has no effect." },
        { .section = "Output", .name = "XZ", .option = "xz", SETTING_MEMBER(Config, xz, bool),
          .default_about = "no",
          .help = "compress the image with xz",
          .about = "The same as CompressOutput=xz; XZ=no keeps tar from being compressed." },
        { .section = "Output", .name = "CompressOutput", .option = "compress-output",
          SETTING_MEMBER(Config, compress_output, choice), .words = output_compression_words,
          .aliases = output_compression_aliases, .default_about = "xz for tar, else no",
          .help = "compress the finished image: xz, zstd, gzip",
          .about = "Compresses the finished image as a whole, on all processors; the bytes do not depend on "
                   "how many there are. The default name of the output ends in .xz, .zst or .gz then; a name "
                   "that was given is used as it is." },
        { .section = "Output", .name = "QCow2", .option = "qcow2", SETTING_MEMBER(Config, qcow2, bool),
          .default_about = "no",
          .help = "write the image in QEMU's format",
          .about = "Converts the finished disk image to QCOW2, by the program qemu-img." },
        { .section = "Output", .name = "Manifest", .option = "manifest",
          SETTING_MEMBER(Config, manifest, bool), .default_about = "no",
          .help = "write a manifest of the build",
          .about = "Writes a JSON file beside the output, under its name with the suffix .manifest: the "
                   "packages with their versions and architectures, the files that were made with sizes "
                   "and check sums, the partitions with their identifiers, all settings, and what stands against "
                   "building the same bytes again." },
        { .section = "Output", .name = "Hostname", .option = "hostname",
          SETTING_MEMBER(Config, hostname, text), .metavar = "NAME", .default_about = "none",
          .help = "host name of the image",
          .about = "Written to /etc/hostname. Without it, the image has no such file, and gets its name "
                   "where it runs." },
        { .section = "Output", .option = "no-chown", SETTING_MEMBER(Config, no_chown, bool),
          .default_about = "no",
          .help = "leave the output to root under sudo",
          .about = "Under sudo, files, keys and directories that are made in a directory of the user who called it are "
                   "his; trees, and what is kept for later builds, are root's. This option leaves all to root." },
        { .section = "Output", .option = "incremental", .letter = 'i',
          SETTING_MEMBER(Config, incremental, bool), .default_about = "no",
          .help = "keep the installed tree for the next build",
          .about = "Keeps the tree as it is after the packages were installed, with the initrd, and the development tree "
                   "likewise, beside the output under its name with the suffixes .cache-pre-inst and "
                   ".cache-pre-dev, and starts the next build from them. They are used only as long as all that they "
                   "were made of is the same: packages, release, mirror, skeleton trees, prepare script, the "
                   "version of the tools; the verb plan says what has changed. When nothing has changed at all, and the output is as "
                   "it was made, nothing is done, not even an existing output is refused. What the archive offers is not "
                   "looked at: -ff builds them anew." },
        { .section = "Output", .name = "Seed", .option = "seed", SETTING_MEMBER(Config, seed, text),
          .metavar = "UUID", .default_about = "derived from the configuration",
          .help = "UUID that all other identifiers follow from",
          .about = "The identifiers of disk, partitions and file systems are derived from this UUID, so "
                   "that the same input gives the same image. Without it, it is derived in turn from the "
                   "last component of the output's name, suffixes left out, and from all settings that shape the image: every "
                   "setting of a file with its value, defaults included, but for paths, secrets, and what "
                   "is done to the image once it is there (compression, check sums, signatures). Where the project lies does not count; two images that are to be "
                   "told apart by their identifiers need different names or seeds." },

        { .section = "Packages", .name = "Packages", .option = "package", .letter = 'p',
          SETTING_MEMBER(Config, packages, list), .metavar = "PACKAGES",
          .help = "packages to install",
          .about = "Packages that are installed besides the distribution's base, with what they depend on." },
        { .section = "Packages", .name = "WithDocs", .option = "with-docs",
          SETTING_MEMBER(Config, with_docs, bool), .default_about = "no",
          .help = "keep documentation in the image",
          .about = "Without it, manual pages, documentation and translations are left out of the image." },
        { .section = "Packages", .name = "WithTests", .option = "without-tests", .letter = 'T',
          .inverted = true, SETTING_MEMBER(Config, with_tests, bool), .default_about = "yes",
          .help = "tell the build script to run no tests",
          .about = "The build script's environment says WITH_TESTS=1, or 0 if this is no, as the option does." },
        { .section = "Packages", .name = "Cache", .option = "cache", SETTING_MEMBER(Config, cache, path),
          .default_about = "mkosi.cache/DISTRIBUTION~RELEASE if mkosi.cache/ exists",
          .help = "directory that keeps downloaded packages",
          .about = "Packages are kept here for the next build; it is created if it is missing. A "
                   "directory that is named here is used as it is, in mkosi.cache/ each distribution and "
                   "release has its own. Without either, packages are downloaded for every build. Builds may "
                   "share a directory: while one installs its packages, others that use the same wait." },
        { .section = "Packages", .name = "ExtraTrees", .option = "extra-tree",
          SETTING_MEMBER(Config, extra_trees, path_list),
          .default_about = "mkosi.extra/ is added if it exists",
          .help = "directories, archives to copy into the image",
          .about = "Directories that are copied over the image after the packages were installed. "
                   "What is in them belongs to root. Links of the image to directories stand for these: lib/x goes "
                   "to where /lib leads. Archives (tar with any usual compression, cpio, zip) are unpacked instead, with "
                   "the owners that they name by number. mkosi.extra/ and mkosi.extra.tar come last." },
        { .section = "Packages", .name = "SkeletonTrees", .option = "skeleton-tree",
          SETTING_MEMBER(Config, skeleton_trees, path_list), .flags = SETTING_LATER_REPLACES,
          .default_about = "mkosi.skeleton/ is added if it exists",
          .help = "what to copy in before packages",
          .about = "Directories or archives that are copied into the tree before the packages are "
                   "installed, for configuration that their installation depends on. What is in a directory belongs "
                   "to root, what is in an archive to whom that says." },
        { .section = "Packages", .name = "BuildScript", .option = "build-script",
          SETTING_MEMBER(Config, build_script, path), .default_about = "mkosi.build if it exists",
          .help = "script that builds from sources",
          .about = "An executable that is run in a development image: the base tree with BuildPackages=, the "
                   "extra trees and the sources, which is thrown away afterwards. It runs as root, in the "
                   "directory $SRCDIR with the sources. What it installs to $DESTDIR goes over the final "
                   "image, owners, modes and attributes included, after the extra trees. $BUILDDIR, when "
                   "BuildDirectory= is set, outlives the build. $WITH_DOCS, $WITH_TESTS and $WITH_NETWORK are 1 "
                   "or 0. When it fails, so does the build." },
        { .section = "Packages", .name = "BuildSources", .option = "build-sources",
          SETTING_MEMBER(Config, build_sources, path), .default_about = "the working directory",
          .help = "sources for the build script",
          .about = "The directory that the build script finds as /root/src. Without a build script it has "
                   "no effect." },
        { .section = "Packages", .name = "BuildDirectory", .option = "build-dir",
          SETTING_MEMBER(Config, build_directory, path), .default_about = "mkosi.builddir/ if it exists",
          .help = "directory that keeps what was compiled",
          .about = "The directory that the build script finds as /root/build and that outlives the build. "
                   "Without a build script it has no effect." },
        { .section = "Packages", .name = "BuildPackages", .option = "build-package",
          SETTING_MEMBER(Config, build_packages, list), .metavar = "PACKAGES",
          .help = "packages for the build script only",
          .about = "Packages of the development image, in which the build script runs; the final image "
                   "does not get them. Without a build script they have no effect." },
        { .section = "Packages", .name = "PrepareScript", .option = "prepare-script",
          SETTING_MEMBER(Config, prepare_script, path), .default_about = "mkosi.prepare if it exists",
          .help = "script that is run after packages",
          .about = "An executable that is run inside the tree, with the network, as soon as the packages are "
                   "installed, with the argument final; and in the development image, when its packages are "
                   "installed, with the argument build. It is for what is fetched or installed by other means "
                   "than the package manager." },
        { .section = "Packages", .name = "PostInstallationScript", .old_names = NAMES("PostinstallScript"),
          .option = "postinst-script", SETTING_MEMBER(Config, postinst_script, path),
          .default_about = "mkosi.postinst if it exists",
          .help = "script that is run inside the image",
          .about = "An executable that is run inside the image once everything is installed, with the argument "
                   "final; and in the development image, before the build script, with the argument build." },
        { .section = "Packages", .name = "FinalizeScript", .option = "finalize-script",
          SETTING_MEMBER(Config, finalize_script, path), .default_about = "mkosi.finalize if it exists",
          .help = "script that is run on the host",
          .about = "An executable that is run on the host, with the caller's environment, when the tree is "
                   "complete and before the image is made of it. $BUILDROOT is the tree; the argument is final, or "
                   "build for the development image." },
        { .section = "Packages", .name = "Environment", .option = "environment", .letter = 'E',
          SETTING_MEMBER(Config, environment, environment),
          .help = "variables for all scripts",
          .about = "Variables in the environment of all scripts, in the place of what is said of them otherwise: of "
                   "$HOME, $LC_ALL, $TERM, $SYSTEMD_OFFLINE and $PATH, and of the caller's $SOURCE_DATE_EPOCH and, with "
                   "the network, proxies; nothing else of his gets to those that run inside the tree. The last one counts." },
        { .section = "Packages", .name = "SourceFileTransfer", .option = "source-file-transfer",
          .old_options = NAMES("git-files", "use-git-files"),
          SETTING_MEMBER(Config, source_file_transfer, enum), .words = source_file_transfer_words,
          .aliases = source_file_transfer_aliases,
          .default_about = "copy-git-others in a git tree, unless it ignores the directory, else copy-all",
          .help = "how sources get to the build script",
          .about = "copy-git-cached copies the files that git tracks, as they are in the working tree, submodules "
                   "included; copy-git-others also those that it does not ignore; copy-git-more the "
                   "directory .git as well, for programs that ask git for a version; copy-all the whole "
                   "directory but for .git; mount shows the directory itself, whole, which the script then can "
                   "change. What mkosi makes or keeps there (this output, caches, build directory, mkosi.output/) is never "
                   "copied. Keys and passphrases that settings name, or of the usual names, are never seen, whatever "
                   "leads to them; where they are mounted, empty files stand in their place. The older options "
                   "--git-files=cached, --git-files=others and --use-git-files=no mean copy-git-cached, "
                   "copy-git-others and copy-all." },
        { .section = "Packages", .name = "WithNetwork", .option = "with-network",
          SETTING_MEMBER(Config, with_network, bool), .default_about = "no",
          .help = "let scripts use the network",
          .about = "Gives build and post-installation scripts the host's network, and what the verbs shell and boot "
                   "run." },
        { .section = "Packages", .name = "NSpawnSettings", .option = "settings",
          SETTING_MEMBER(Config, nspawn_settings, path), .default_about = "mkosi.nspawn if it exists",
          .help = "systemd-nspawn settings to ship",
          .about = "A file that is copied beside the image, under its name with the suffix .nspawn." },

        { .section = "Partitions", .name = "RootSize", .option = "root-size",
          SETTING_MEMBER(Config, root_size, size), .default_about = "what the content needs",
          .help = "size of the root partition",
          .about = "The root partition gets exactly this size, and the build fails with the size that is "
                   "needed, and the biggest directories, if the content does not fit. Without it the "
                   "partition is as large as its content; one that is written to later gets the larger of "
                   "64M and a tenth of that on top." },
        { .section = "Partitions", .name = "ESPSize", .option = "esp-size",
          SETTING_MEMBER(Config, esp_size, size), .default_about = "256M if Bootable=yes",
          .help = "size of the EFI system partition",
          .about = "At least 33M, which is the least that FAT32 can be." },
        { .section = "Partitions", .name = "BootLoaderSize", .option = "xbootldr-size",
          SETTING_MEMBER(Config, xbootldr_size, size), .default_about = "no such partition",
          .planned = PARTITION_PLANNED,
          .help = "size of the boot loader partition",
          .about = "Adds an extended boot loader partition of this size, mounted at /boot." },
        { .section = "Partitions", .name = "SwapSize", .option = "swap-size",
          SETTING_MEMBER(Config, swap_size, size), .default_about = "no such partition",
          .help = "size of the swap partition",
          .about = "Adds a swap partition of this size, which is never encrypted." },
        { .section = "Partitions", .name = "HomeSize", .option = "home-size",
          SETTING_MEMBER(Config, home_size, size), .default_about = "no such partition",
          .help = "size of the home partition",
          .about = "Adds an ext4 partition of this size for /home; what the tree has there goes into it." },
        { .section = "Partitions", .name = "SrvSize", .option = "srv-size",
          SETTING_MEMBER(Config, srv_size, size), .default_about = "no such partition",
          .help = "size of the server data partition",
          .about = "Adds an ext4 partition of this size for /srv; what the tree has there goes into it." },

        { .section = "Validation", .name = "CheckSum", .option = "checksum",
          SETTING_MEMBER(Config, checksum, bool), .default_about = "no; yes if Sign=yes",
          .help = "write SHA256SUMS",
          .about = "Writes a file SHA256SUMS with the check sums of all files that were made, in the form that "
                   "sha256sum(1) and systemd's importd(8) check." },
        { .section = "Validation", .name = "Sign", .option = "sign", SETTING_MEMBER(Config, sign, bool),
          .default_about = "no",
          .help = "sign SHA256SUMS with GnuPG",
          .about = "Writes a detached signature of SHA256SUMS, which this implies." },
        { .section = "Validation", .name = "Key", .option = "key", SETTING_MEMBER(Config, key, text),
          .metavar = "KEY", .default_about = "GnuPG's own",
          .help = "key with which GnuPG signs",
          .about = "The key for Sign=, by any name that gpg(1) understands." },
        { .section = "Validation", .name = "SignOffline", .option = "sign-offline",
          SETTING_MEMBER(Config, sign_offline, bool), .default_about = "no",
          .help = "leave all signatures to another machine",
          .about = "For keys that the machine that builds does not have: SecureBoot=, "
                   "SecureBootAutoEnroll= (with RSA keys), VerityCertificate= and Sign= sign nothing "
                   "then, and need certificates only. Places for the signatures are kept in the image, "
                   "and a file beside it, with the suffix .sign-request, lists what is to be signed, as "
                   "JSON. The verb attach puts the signatures into these places later; with RSA keys the "
                   "image is then, byte for byte, the one that had been signed at once. No private key "
                   "is read. The image must be a raw one: it is compressed or converted when it is "
                   "signed." },
        { .section = "Validation", .name = "Bmap", .old_names = NAMES("BMap"), .option = "bmap",
          SETTING_MEMBER(Config, bmap, bool), .default_about = "no",
          .help = "write a block map of the image",
          .about = "Writes a map of the blocks of the raw disk image that are in use, for bmaptool(1), which then "
                   "writes nothing but these to a disk; under the image's name with the suffix .bmap." },
        { .section = "Validation", .name = "Password", .option = "password",
          SETTING_MEMBER(Config, password, text), .metavar = "PASSWORD", .flags = SETTING_SECRET,
          .default_about = "the content of mkosi.rootpw if it exists, else root is locked",
          .help = "password of root",
          .about = "The password of root in the image. An empty value lets root log in without a "
                   "password. It is better put into the file mkosi.rootpw, which only its owner should be "
                   "able to read, than here or on the command line; blanks around it are dropped there." },

        { .section = "Host", .name = "ExtraSearchPaths", .option = "extra-search-path",
          .old_options = NAMES("extra-search-paths"), SETTING_MEMBER(Config, extra_search_paths, search_path),
          .flags = SETTING_LATER_REPLACES,
          .help = "directories with the host's tools",
          .about = "Directories that are searched for tools before those of $PATH, separated by colons or "
                   "blanks. $NAME and ${NAME} are replaced by variables of the environment, $SUDO_HOME by "
                   "the home directory of the user who called sudo; an entry with an unset variable is "
                   "dropped." },
        { .section = "Host", .name = "CPUs", .old_names = NAMES("QemuSmp"), .option = "cpus",
          .old_options = NAMES("qemu-smp"), SETTING_MEMBER(Config, cpus, number), .metavar = "NUMBER",
          .default_about = "2; 1 where they are emulated",
          .help = "processors of the virtual machine",
          .about = "How many processors the virtual machine of the verb qemu has. Emulated ones gain little "
                   "from each other, so that one is the default where KVM does not work." },
        { .section = "Host", .name = "RAM", .old_names = NAMES("QemuMem"), .option = "ram",
          .old_options = NAMES("qemu-mem"), SETTING_MEMBER(Config, ram, size), .default_about = "2G",
          .help = "memory of the virtual machine",
          .about = "How much memory the virtual machine of the verb qemu has, at least 128M. The host gives "
                   "it as much of that as it uses." },

        { .option = "directory", .letter = 'C', SETTING_MEMBER(Config, directory, path),
          .flags = SETTING_OUTSIDE_FILES,
          .help = "change to this directory first",
          .about = "Everything else, the settings file included, is looked for from there." },
        { .option = "default", SETTING_MEMBER(Config, default_file, path), .flags = SETTING_OUTSIDE_FILES,
          .default_about = "mkosi.default if it exists",
          .help = "read settings from this file",
          .about = "The settings file. All regular files of the directory of the same name with the "
                   "suffix .d are read after it, sorted by name. Paths in settings are relative to the "
                   "working directory, not to the file." },
        { .option = "all", .letter = 'a', SETTING_MEMBER(Config, all, bool), .flags = SETTING_OUTSIDE_FILES,
          .planned = "one settings file is built at a time",
          .help = "do it for all files of mkosi.files/",
          .about = "Runs the verb once for every settings file mkosi.* in the directory of "
                   "--all-directory=." },
        { .option = "all-directory", SETTING_MEMBER(Config, all_directory, path),
          .flags = SETTING_OUTSIDE_FILES, .default_about = "mkosi.files/",
          .planned = "one settings file is built at a time",
          .help = "directory for --all",
          .about = "Where --all looks for settings files." },
        { .option = "debug", SETTING_MEMBER(Config, debug, bool), .flags = SETTING_OUTSIDE_FILES,
          .help = "show every command and its sandbox",
          .about = "Prints each command that is run, the operations of the sandbox it runs in, and what "
                   "they decide on." },
        { .option = "quiet", .letter = 'q', SETTING_MEMBER(Config, quiet, bool), .flags = SETTING_OUTSIDE_FILES,
          .help = "show warnings and errors only",
          .about = "Neither steps nor results are shown, only what is wrong." },
        { .option = "json-progress", SETTING_MEMBER(Config, json_progress, text), .metavar = "FD",
          .flags = SETTING_OUTSIDE_FILES,
          .help = "write progress as JSON to this descriptor",
          .about = "Writes one JSON object per line to the file descriptor with this number: what begins, how "
                   "far it is, what ended, and what came out of it. What is shown for people does not change." },
        { .option = "json", SETTING_MEMBER(Config, json, bool), .flags = SETTING_OUTSIDE_FILES,
          .help = "print what verify found as JSON",
          .about = "Prints what the verb verify found as one JSON object: the image, whether it is good, and for each "
                   "thing that was looked at its name, 'ok', 'failed' or 'absent', and a detail." },
        { .option = "debug-shell", SETTING_MEMBER(Config, debug_shell, bool), .flags = SETTING_OUTSIDE_FILES,
          .help = "open a shell where it fails",
          .about = "When a script fails that runs inside the tree, opens a shell in just the state that it left: "
                   "the same tree, mounts, environment and directory. When a package manager fails, it is in the tree, "
                   "or, as long as that has none, on the host's root with the tree at /run/tree. The build ends with it." },
        { .option = "keep-failed", SETTING_MEMBER(Config, keep_failed, bool), .flags = SETTING_OUTSIDE_FILES,
          .help = "keep the tree when it fails",
          .about = "When a script or a package manager fails, its tree is kept beside the output, under its name "
                   "with the suffix .failed, in the place of what was kept before. The verb clean removes it." },
        { .option = "nspawn", SETTING_MEMBER(Config, nspawn, bool), .flags = SETTING_OUTSIDE_FILES,
          .help = "let systemd-nspawn run the image",
          .about = "The verbs shell and boot run systemd-nspawn(1), and not a container of their own." },
        { .option = "persistent", SETTING_MEMBER(Config, persistent, bool), .flags = SETTING_OUTSIDE_FILES,
          .help = "keep what a machine or container writes",
          .about = "The verbs qemu, boot and shell write to the image itself, and not to a temporary place that is "
                   "gone with what they run. Check sums and root hashes that lie beside the image do not fit it any more then." },
        { .option = "root-hash", SETTING_MEMBER(Config, root_hash, text), .metavar = "HEX",
          .flags = SETTING_OUTSIDE_FILES,
          .help = "root hash that verify must find",
          .about = "The root hash of dm-verity that an image must have, as 64 hexadecimal digits: what is known of it from "
                   "elsewhere, since files beside an image can be replaced together with it. The verb verify fails where "
                   "the image has another one, or none, or is of a format in which it is not looked for." },
        { .option = "help", .letter = 'h', SETTING_MEMBER(Config, help, bool), .flags = SETTING_OUTSIDE_FILES,
          .help = "show this help",
          .about = "Prints a short help and exits." },
        { .option = "version", SETTING_MEMBER(Config, version, bool), .flags = SETTING_OUTSIDE_FILES,
          .help = "show the version",
          .about = "Prints the name and the version of the program and exits." },
};
/* clang-format on */

const SettingTable config_table = {
        .sections = sections,
        .n_sections = ELEMENTSOF(sections),
        .rows = rows,
        .n_rows = ELEMENTSOF(rows),
};
