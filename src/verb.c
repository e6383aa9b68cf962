/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-profile.h"
#include "verb.h"

/* A verb is a row in each of two tables: what the settings engine knows of it, and what it does. */
enum {
        VERB_BUILD,
        VERB_SUMMARY,
        VERB_JSON,
        VERB_PLAN,
        VERB_SHELL,
        VERB_BOOT,
        VERB_QEMU,
        VERB_CLEAN,
        VERB_GENKEY,
        VERB_ATTACH,
        VERB_VERIFY,
        VERB_HELP,
        VERB_COMPLETION,
        VERB_MAN,
        VERB_EXAMPLE,
};

/* clang-format off */
const SettingVerb verb_words[] = {
        [VERB_BUILD]      = { "build",      NULL,    false, "build the image (the default)",
          "Builds what the settings describe. Refuses to touch an output that exists, unless --force is given; even then the old one is replaced only when the new one is complete." },
        [VERB_SUMMARY]    = { "summary",    NULL,    false, "show all settings and where they come from",
          "Prints every setting that has a value, with the file and line, option or rule that gave it. Builds nothing." },
        [VERB_JSON]       = { "json",       NULL,    false, "show all settings as JSON",
          "Prints the same as summary as one JSON object, for programs." },
        [VERB_PLAN]       = { "plan",       NULL,    false, "show what a build would do, and why",
          "Prints the steps of a build in their order, each with the setting that asks for it; with --incremental also which trees are kept from an earlier build, or what has changed since, so that they are built anew. Builds nothing." },
        [VERB_SHELL]      = { "shell",      "[COMMAND]...", true, "run a command or a shell in the image",
          "Runs the command, or a shell, in a container with the image as its root. An image that is not there, or is to be replaced by --force, is built first. What is written goes to memory, and is gone with the container, unless --persistent is given. The network is one of its own, with nothing but 127.0.0.1, unless WithNetwork=yes gives it the host's. Disks are attached by loop devices, archives are unpacked; what is encrypted or compressed as a whole is refused. Where there are no loop devices, as in most containers, fuse2fs(1) and squashfuse(1) show what is in ext4 and squashfs. The image is locked meanwhile: it may be run more than once, but with --persistent not by anybody else, and it is neither replaced nor removed. The exit status is that of the command, or 127 when it is not there, 126 when it cannot be executed, and 128 and the number of the signal that killed it. On a terminal, Ctrl-] pressed three times within a second ends the container. What a container leaves behind when mkosi is killed is removed by the next one. With --nspawn, systemd-nspawn(1) runs it instead, also what is encrypted, but no archives." },
        [VERB_BOOT]       = { "boot",       "[WORD]...", true, "boot the image in a container",
          "Boots the image's own init in a container, as the verb shell does with a command, in a cgroup of its own (version 2) and on a console that is this terminal; the words are arguments of the init. It ends when the system switches itself off. SIGTERM, SIGINT and SIGHUP ask systemd to do that; a second one, a second later or more, ends it at once, and so does Ctrl-] pressed three times. The init of another architecture's image, which qemu-user runs, may do less than on a machine of its own, so that some units fail: the verb qemu starts all of them." },
        [VERB_QEMU]       = { "qemu",       "[WORD]...", true, "boot the image in a virtual machine",
          "Boots the disk image in a virtual machine of qemu with UEFI firmware. An image that is not there, or is to be replaced by --force, is built first; otherwise no privilege is needed. What the machine writes goes to a temporary file, unless --persistent is given, and what its firmware learns is forgotten. With SecureBoot=yes the firmware has Secure Boot, and no keys until the image brings them. The terminal is the machine's serial console: Ctrl-C reaches the guest, Ctrl-A X ends the machine, Ctrl-A C leads to qemu's monitor and back. KVM is used if it works, else everything is emulated. The network is that of qemu's user mode: the guest reaches what the host reaches. CPUs= and RAM= say what the machine has; words behind the verb are appended to the command line of qemu, as options of the program, and may change all of this. --debug shows the command line. The exit status is that of qemu, which gets the whole environment." },
        [VERB_CLEAN]      = { "clean",      NULL,    false, "remove the output of earlier builds",
          "Removes the output that the settings name, everything beside it that is named after it, check sums of it, and what a killed or failed build left behind; with -f the trees that --incremental keeps and the content of the build directory as well, with -ff that of the package cache." },
        [VERB_GENKEY]     = { "genkey",     "[PURPOSE]", false, "make a key for SecureBoot= or Verity=",
          "Makes a private key and a certificate. For the purpose secure-boot they are mkosi.secure-boot.key, with mode 0600, and mkosi.secure-boot.crt, or the files that SecureBootKey= and SecureBootCertificate= name; for verity, mkosi.verity.key and mkosi.verity.crt, or what VerityKey= and VerityCertificate= name. Without a purpose, what the settings speak of is made, as far as it is not there; that is secure-boot when they speak of neither. SecureBootKeyType= and SecureBootValidDays= say of which kind it is, SecureBootCommonName= how a key for Secure Boot is called. If mkosi.secure-boot.passphrase or mkosi.verity.passphrase exists the key is encrypted with what it holds. A file that exists is never replaced." },
        [VERB_ATTACH]     = { "attach",     "IMAGE FILE ...", false, "put signatures made elsewhere into an image",
          "Puts the signatures that an image built with SignOffline=yes waits for into their places. What is to be signed is listed in the file beside the image with the suffix .sign-request: each item with an ID, the bytes to be signed, in base64, and their digest; `openssl dgst -sha256 -sign KEY` of these bytes makes the signature. Signatures are given as files ID.sig, as directories with such files, or as JSON objects of IDs and signatures in base64. Each is verified by SecureBootCertificate= or VerityCertificate=, or mkosi.secure-boot.crt and mkosi.verity.crt, and all that are missing must be there, before anything is changed; the image must be what was built. SHA256SUMS and the block map beside the image are brought up to date. With Sign=yes, SHA256SUMS is signed when that is done, by `gpg --detach-sign SHA256SUMS`, and SHA256SUMS.sig is attached in turn. A copy of the image is changed and replaces it, so that there must be room for it; doing the same twice changes nothing." },
        [VERB_VERIFY]     = { "verify",     "IMAGE", false, "check a finished image from outside",
          "Looks at a finished image, whoever made it: the partition table and its backup, what each partition holds, with the headers of LUKS2, the EFI system partition, and the extended boot partition, with all programs, their signatures and command lines, the hash tree of dm-verity by every root hash that the image and the file beside it name, the signature of that, and beside the image its manifest, with all partitions and files that it tells of, and the check sums with their signature. Signatures are checked by SecureBootCertificate= and VerityCertificate=; who names them relies on them, and every program and the root hash have to be signed. Without, mkosi.secure-boot.crt and mkosi.verity.crt are used if they lie there: what is signed has to be signed by them, and where nothing is signed at all that is said, and passes. All kernels of an image with a hash tree have to name its root hash, and nothing on a command line may go around it. SHA256SUMS that does not name the image is not looked into. With --root-hash= the root hash has to be one that is known from elsewhere. Prints a line for each thing, or all as JSON with --json: 'ok', 'failed', or 'absent' where there is nothing to check, or nothing to check it by. Of a file that holds a file system and no disk, as plain_squashfs is, the superblock is looked at. The files in tar archives and directories, and disks in QCOW2, are not looked into: of these, what lies beside them is all that is checked, and a line says so. The exit status is 0 when nothing failed, also where little or nothing could be looked at; and 1 when something did, or when there is no image that can be read." },
        [VERB_HELP]       = { "help",       "[profiles]", false, "show this help, or which profiles there are",
          "Prints a short help; with the word profiles, the profiles that Profile= may name and where each is, with a line about it. With --quiet it is their names alone." },
        [VERB_COMPLETION] = { "completion", "SHELL", false, "print completion for bash, zsh or fish",
          "Prints a completion script for the shell: bash, zsh or fish." },
        [VERB_MAN]        = { "man",        NULL,    false, "show the manual page",
          "Shows the manual page; prints its source when the output is no terminal." },
        [VERB_EXAMPLE]    = { "example",    NULL,    false, "print a settings file with all settings",
          "Prints a settings file in which every setting is explained and commented out." },
};
/* clang-format on */

static const char program_about[] =
        "mkosi makes operating system images. Run in a directory with files named mkosi.*, it installs a "
        "distribution into a tree, adds what the project brings, and turns the tree into a disk image that boots "
        "under UEFI, or into a file system, an archive, a subvolume or a directory.\n"
        "\n"
        "Images are assembled without loop devices and without mounting anything of them. The same input gives the "
        "same bytes: identifiers follow from Seed=, and with SOURCE_DATE_EPOCH in the environment no time in the "
        "image is later than that.\n"
        "\n"
        "This is an independent implementation of the tool that was described in 2017, and reads its files.";

static const char program_files[] =
        "mkosi.default\tThe settings. --default names another file.\n"
        "mkosi.profiles/\tProfiles of the project, NAME.conf, for Profile=.\n"
        "mkosi.default.d/\tFurther settings files, read after it in the order of their names.\n"
        "mkosi.skeleton/, mkosi.skeleton.tar\tCopied into the tree before packages are installed.\n"
        "mkosi.keys/\tOpenPGP keys that packages and repositories are signed by, instead of those of the host.\n"
        "mkosi.prepare\tAn executable that is run in the tree when the packages are installed, with the network.\n"
        "mkosi.build\tAn executable that is run in a development tree, with the sources; what it installs to $DESTDIR gets into the image.\n"
        "mkosi.builddir/\tIf this directory exists, it is $BUILDDIR of mkosi.build, and keeps what was compiled.\n"
        "mkosi.extra/, mkosi.extra.tar\tCopied over the root of the tree once the packages are installed. What is in the directory belongs to root.\n"
        "mkosi.postinst\tAn executable that is run in the tree when everything is installed.\n"
        "mkosi.finalize\tAn executable that is run on the host when the tree is complete; it is in $BUILDROOT.\n"
        "mkosi.cache/\tIf this directory exists, downloaded packages are kept in it, by distribution and release.\n"
        "mkosi.output/\tIf this directory exists, the output is put there.\n"
        "mkosi.nspawn\tIf this file exists, it is put beside the image, for systemd-nspawn(1).\n"
        "mkosi.passphrase\tThe passphrase of encrypted partitions; only its owner may have access to it.\n"
        "mkosi.secure-boot.key\tThe private key for SecureBoot=; nobody but its owner may read it.\n"
        "mkosi.secure-boot.crt\tIts certificate.\n"
        "mkosi.secure-boot.passphrase\tThe passphrase of the key, if it is encrypted; mode 0600.\n"
        "mkosi.verity.key\tThe private key that signs the root hash of Verity=; nobody but its owner may read it.\n"
        "mkosi.verity.crt\tIts certificate.\n"
        "mkosi.verity.passphrase\tThe passphrase of the key, if it is encrypted; mode 0600.\n"
        "mkosi.rootpw\tThe password of root; should be readable by its owner only.\n";

static const SettingProgram program = {
        .name = "mkosi",
        .version = MKOSI_VERSION,
        .date = MKOSI_DATE,
        .purpose = "build images of operating systems",
        .about = program_about,
        .files_about = program_files,
        .see_also =
                "debootstrap(8), dnf(8), zypper(8), pacman(8), qemu(1), systemd-nspawn(1), systemd-boot(7), bootctl(1), os-release(5), machine-id(5)",
        .verbs = verb_words,
        .n_verbs = ELEMENTSOF(verb_words),
        .table = &config_table,
};

int verb_finish_output(int r) {
        if (fflush(stdout) != 0 || ferror(stdout))
                return log_error(-EIO, "Cannot write to standard output");
        return r;
}

static int help_profiles(const Config *config) {
        _cleanup_(config_profiles_done) ConfigProfiles profiles = {};
        _cleanup_(strv_freep) char **directories = NULL;

        int r = config_profile_directories(config->directory, &directories);
        if (r >= 0)
                r = config_profiles_list(STRV(directories), &profiles);
        if (r < 0)
                return log_error(r, "Cannot look for profiles: %m");
        for (size_t i = 0; i < profiles.n_items; i++) {
                const ConfigProfile *profile = &profiles.items[i];

                (void)(config->quiet ? printf("%s\n", profile->name)
                                     : printf("%-15s %s%s(%s)\n", profile->name, profile->about,
                                              profile->about[0] ? " " : "", profile->path));
        }
        return verb_finish_output(0);
}

int verb_help(LoadedConfig *loaded, mode_t caller_umask) {
        const char *const *words = STRV(loaded->arguments.rest);

        if (strv_length(words) == 1 && text_equal(words[0], "profiles"))
                return help_profiles(&loaded->config);
        if (words && words[0]) {
                (void)log_error(-EINVAL, "The verb help takes no word but profiles");
                return EXIT_USAGE;
        }
        describe_help(&program, stdout);
        return verb_finish_output(0);
}

int verb_version(void) {
        (void)printf("mkosi %s\n", MKOSI_VERSION);
        return verb_finish_output(0);
}

static int verb_completion(LoadedConfig *loaded, mode_t caller_umask) {
        char **words = loaded->arguments.rest;

        if (strv_length(STRV(words)) != 1 || describe_completion(&program, words[0], stdout) < 0) {
                (void)log_error(-EINVAL, "The verb completion takes the name of a shell: bash, zsh or fish");
                return EXIT_USAGE;
        }
        return verb_finish_output(0);
}

/* Shows the page with man(1); returns when that is not possible. */
static void execute_man(void) {
        _cleanup_(fd_closep) int fd = memfd_create("mkosi.1", 0);
        _cleanup_(file_closep) FILE *file = NULL;
        char path[64];

        if (fd < 0)
                return;
        file = fdopen(dup(fd), "w");
        if (!file)
                return;
        describe_manual(&program, file);
        if (fflush(file) != 0)
                return;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        (void)execlp("man", "man", "-l", path, NULL);
}

static int verb_man(LoadedConfig *loaded, mode_t caller_umask) {
        if (isatty(STDOUT_FILENO) == 1)
                execute_man();
        describe_manual(&program, stdout);
        return verb_finish_output(0);
}

static int verb_example(LoadedConfig *loaded, mode_t caller_umask) {
        describe_example(&program, stdout);
        return verb_finish_output(0);
}

/* clang-format off */
const Verb verbs[] = {
        [VERB_BUILD]      = { .needs_config = true, .needs_support = true, .run = verb_build },
        [VERB_SUMMARY]    = { .needs_config = true, .run = verb_summary },
        [VERB_JSON]       = { .needs_config = true, .run = verb_json },
        [VERB_PLAN]       = { .needs_config = true, .needs_support = true, .run = verb_plan },
        [VERB_SHELL]      = { .needs_config = true, .needs_support = true, .run = verb_shell },
        [VERB_BOOT]       = { .needs_config = true, .needs_support = true, .run = verb_boot },
        [VERB_QEMU]       = { .needs_config = true, .needs_support = true, .run = verb_qemu },
        [VERB_CLEAN]      = { .needs_config = true, .run = verb_clean,
                              .interrupted = "what has not been removed yet is still there" },
        [VERB_GENKEY]     = { .needs_files = true, .run = verb_genkey },
        [VERB_ATTACH]     = { .needs_files = true, .run = verb_attach },
        [VERB_VERIFY]     = { .needs_files = true, .run = verb_verify },
        [VERB_HELP]       = { .run = verb_help },
        [VERB_COMPLETION] = { .run = verb_completion },
        [VERB_MAN]        = { .run = verb_man },
        [VERB_EXAMPLE]    = { .run = verb_example },
};
/* clang-format on */

const size_t n_verbs = ELEMENTSOF(verbs);

static_assert(ELEMENTSOF(verbs) == ELEMENTSOF(verb_words), "Every word needs its verb");
