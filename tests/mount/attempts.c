/*
 * What somebody may try who has taken over the daemon or the signer, and what both
 * need: see attempts.h.
 */
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "attempts.h"
#include "core/base/file.h"
#include "core/sign/state.h"
#include "harness.h"

struct targets targets = { .keysfd = -1 };

/* --- what is tried: 0, or the errno ------------------------------------------- */

static int
result(long rc)
{
	return rc < 0 ? errno : DONE;
}

static int
opens(const char *path, int flags)
{
	return result(open(path, flags | O_CLOEXEC, 0600));
}

static int
in_store(const char *name, int flags)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/%s", targets.store, name);
	return opens(path, flags);
}

static int
read_beside(void)
{
	return opens(targets.beside, O_RDONLY);
}

/* The config names the directory, so its files are not allowed for another reason. */
static int
read_key(void)
{
	return opens(targets.key, O_RDONLY);
}

static int
write_beside(void)
{
	return opens(targets.beside, O_WRONLY);
}

static int
truncate_beside(void)
{
	return opens(targets.beside, O_WRONLY | O_TRUNC);
}

static int
makes(const char *path)
{
	int rc = opens(path, O_WRONLY | O_CREAT | O_EXCL);

	if (rc == DONE)
		unlink(path);
	return rc;
}

static int
make_in_etc(void)
{
	return makes("/etc/trailfs-sandbox-test");
}

static int
make_in_root(void)
{
	return makes("/root/trailfs-sandbox-test");
}

static int
make_in_tmp(void)
{
	return makes("/tmp/trailfs-sandbox-test");
}

static int
list_home(void)
{
	return opens("/root", O_RDONLY | O_DIRECTORY);
}

static int
write_proc(void)
{
	return opens("/proc/self/coredump_filter", O_WRONLY);
}

static int
read_shadow(void)
{
	return opens("/etc/shadow", O_RDONLY);
}

static int
link_in_store(void)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/link", targets.store);
	return result(symlinkat("/etc", AT_FDCWD, path));
}

static int
fifo_in_store(void)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/fifo", targets.store);
	return result(mkfifo(path, 0600));
}

static int
execute(void)
{
	char *argv[] = { "true", NULL };

	return result(execve("/bin/true", argv, NULL));
}

static int
execute_fd(void)
{
	return result(syscall(SYS_execveat, 0, "/bin/true", NULL, NULL, 0));
}

static int
fork_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return result(pid);
}

/* A process that shares all memory is no thread either. */
static int
clone_process(void)
{
	return result(syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL,
	    NULL, NULL, NULL));
}

static int
clone_unseen(void)
{
	return result(syscall(SYS_clone3, NULL, 0));
}

static int
reach(int family, int type)
{
	return result(socket(family, type, 0));
}

static int
internet(void)
{
	return reach(AF_INET, SOCK_STREAM);
}

static int
internet_6(void)
{
	return reach(AF_INET6, SOCK_DGRAM);
}

static int
netlink(void)
{
	return reach(AF_NETLINK, SOCK_RAW);
}

static int
packets(void)
{
	return reach(AF_PACKET, SOCK_RAW);
}

static int
abstract_socket(void)
{
	static const char name[] = "\0trailfs-sandbox-test";
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(sa.sun_path, name, sizeof name - 1);
	return result(connect(fd, (struct sockaddr *)&sa,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof name -
		1)));
}

static int
trace(void)
{
	return result(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
}

static int
read_memory(void)
{
	return result(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0,
	    0));
}

static int
signal_parent(void)
{
	return result(kill(getppid(), 0));
}

static int
signal_thread_of_parent(void)
{
	return result(syscall(SYS_tgkill, getppid(), getppid(), SIGCONT));
}

static int
keys_of_the_kernel(void)
{
	return result(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
	    KEY_SPEC_SESSION_KEYRING, 0));
}

static int
add_key_to_the_kernel(void)
{
	return result(syscall(SYS_add_key, "user", "x", "y", 1,
	    KEY_SPEC_PROCESS_KEYRING));
}

static int
program_for_the_kernel(void)
{
	return result(syscall(SYS_bpf, 0, NULL, 0));
}

static int
ring(void)
{
	return result(syscall(425 /* io_uring_setup */, 1, NULL));
}

static int
new_namespace(void)
{
	return result(unshare(CLONE_NEWUSER));
}

static int
mount_something(void)
{
	return result(mount("none", targets.store, "tmpfs", 0, NULL));
}

static int
unmount_something(void)
{
	return result(umount2("/proc", MNT_DETACH));
}

static int
other_root(void)
{
	return result(chroot("/"));
}

static int
be_root(void)
{
	return result(setresuid(0, 0, 0));
}

static int
set_the_clock(void)
{
	struct timespec t = { .tv_sec = 1 };

	return result(clock_settime(CLOCK_REALTIME, &t));
}

static int
allow_dumps(void)
{
	return result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int
call_of_the_future(void)
{
	return result(syscall(5000));
}

static const struct attempt of_daemon[] = {
	{ "read a file outside", read_beside, EACCES, false },
	{ "read a secret key outside", read_key, EACCES, false },
	{ "write a file outside", write_beside, EACCES, false },
	{ "truncate a file outside", truncate_beside, EACCES, false },
	{ "make a file in /etc", make_in_etc, EACCES, false },
	{ "make a file in /root", make_in_root, EACCES, false },
	{ "make a file in /tmp", make_in_tmp, EACCES, false },
	{ "list /root", list_home, EACCES, false },
	{ "write to /proc", write_proc, EACCES, false },
	{ "read /etc/shadow", read_shadow, EACCES, true },
	{ "make a symbolic link in the store", link_in_store, EPERM, false },
	{ "make a FIFO in the store", fifo_in_store, EPERM, false },
	{ "execve", execute, EPERM, false },
	{ "execveat", execute_fd, EPERM, false },
	{ "fork", fork_child, EPERM, false },
	{ "clone a process", clone_process, EPERM, false },
	{ "clone3", clone_unseen, ENOSYS, false },
	{ "a socket of IPv4", internet, EPERM, false },
	{ "a socket of IPv6", internet_6, EPERM, false },
	{ "a socket of netlink", netlink, EPERM, false },
	{ "a socket of packets", packets, EPERM, false },
	{ "an abstract socket", abstract_socket, EPERM, false },
	{ "ptrace", trace, EPERM, false },
	{ "process_vm_readv", read_memory, EPERM, false },
	{ "kill", signal_parent, EPERM, false },
	{ "tgkill", signal_thread_of_parent, EPERM, false },
	{ "keyctl", keys_of_the_kernel, EPERM, false },
	{ "add_key", add_key_to_the_kernel, EPERM, false },
	{ "bpf", program_for_the_kernel, EPERM, false },
	{ "io_uring_setup", ring, EPERM, false },
	{ "unshare", new_namespace, EPERM, false },
	{ "mount", mount_something, EPERM, false },
	{ "umount2", unmount_something, EPERM, false },
	{ "chroot", other_root, EPERM, false },
	{ "setresuid", be_root, EPERM, false },
	{ "clock_settime", set_the_clock, EPERM, false },
	{ "prctl", allow_dumps, EPERM, false },
	{ "a call of the future", call_of_the_future, ENOSYS, false },
};

/* --- what must go on working -------------------------------------------------- */

static int
write_in_store(void)
{
	return in_store("lock", O_RDWR);
}

static int
make_in_store(void)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/objects/ab", targets.store);
	return result(mkdir(path, 0700));
}

/* From one directory of the store to another one. */
static int
link_across(void)
{
	char from[4200], to[4200];

	snprintf(from, sizeof from, "%s/stage/1", targets.store);
	snprintf(to, sizeof to, "%s/objects/2", targets.store);
	if (opens(from, O_WRONLY | O_CREAT) != DONE)
		return errno;
	return result(linkat(AT_FDCWD, from, AT_FDCWD, to, 0));
}

static int
name_a_user(void)
{
	return getpwuid(0) != NULL ? DONE : ENOENT;
}

static int
look_at_a_process(void)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/status", (int)getppid());
	return opens(path, O_RDONLY);
}

static void *
nothing(void *arg)
{
	return arg;
}

static int
start_a_thread(void)
{
	pthread_t t;
	int rc = pthread_create(&t, NULL, nothing, NULL);

	return rc != 0 ? rc : pthread_join(t, NULL);
}

static int
socket_of_this_machine(void)
{
	return reach(AF_UNIX, SOCK_DGRAM);
}

static int
scratch(void)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/stage", targets.store);
	return opens(path, O_TMPFILE | O_RDWR);
}

static const struct attempt daemon_needs[] = {
	{ "write a file of the store", write_in_store, DONE, false },
	{ "make a directory in the store", make_in_store, DONE, false },
	{ "link across the store", link_across, DONE, false },
	{ "name a user", name_a_user, DONE, false },
	{ "look at a process", look_at_a_process, DONE, false },
	{ "start a thread", start_a_thread, DONE, false },
	{ "a socket of this machine", socket_of_this_machine, DONE, false },
	{ "a file without a name", scratch, DONE, false },
};

/* --- of the signer ------------------------------------------------------------ */

static int
read_ledger(void)
{
	return in_store("ledger.db", O_RDONLY);
}

static int
read_passwd(void)
{
	return opens("/etc/passwd", O_RDONLY);
}

static int
read_proc(void)
{
	return opens("/proc/self/status", O_RDONLY);
}

static int
socket_pair(void)
{
	int pair[2];

	return result(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

static int
take_a_descriptor(void)
{
	struct msghdr m = { .msg_iovlen = 0 };

	return result(recvmsg(0, &m, MSG_DONTWAIT));
}

static int
map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ?
	    errno :
	    DONE;
}

static int
make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ?
	    errno :
	    result(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int
allow_core_files(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	return result(setrlimit(RLIMIT_CORE, &all));
}

static int
take_a_key_out(void)
{
	return result(renameat(targets.keysfd, "log.pem", AT_FDCWD,
	    targets.beside));
}

static int
link_a_key_out(void)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/objects/key", targets.store);
	return result(linkat(targets.keysfd, "log.pem", AT_FDCWD, path, 0));
}

static int
directory_in_keys(void)
{
	return result(mkdirat(targets.keysfd, "dir", 0700));
}

static int
wait_for_a_child(void)
{
	return result(wait4(-1, NULL, WNOHANG, NULL));
}

static const struct attempt of_signer[] = {
	{ "read a file outside", read_beside, EACCES, false },
	{ "write a file outside", write_beside, EACCES, false },
	{ "read the ledger", read_ledger, EACCES, false },
	{ "read /etc/passwd", read_passwd, EACCES, false },
	{ "read /proc", read_proc, EACCES, false },
	{ "make a file in /tmp", make_in_tmp, EACCES, false },
	{ "move a key out", take_a_key_out, EACCES, false },
	{ "link a key out", link_a_key_out, EACCES, false },
	{ "make a directory", directory_in_keys, EPERM, false },
	{ "execve", execute, EPERM, false },
	{ "execveat", execute_fd, EPERM, false },
	{ "fork", fork_child, EPERM, false },
	{ "clone a process", clone_process, EPERM, false },
	{ "start a thread", start_a_thread, EPERM, false },
	{ "wait4", wait_for_a_child, EPERM, false },
	{ "a socket of this machine", socket_of_this_machine, EPERM, false },
	{ "a socket of IPv4", internet, EPERM, false },
	{ "a socket of netlink", netlink, EPERM, false },
	{ "a pair of sockets", socket_pair, EPERM, false },
	{ "a descriptor of others", take_a_descriptor, EPERM, false },
	{ "map code", map_code, EPERM, false },
	{ "make code", make_code, EPERM, false },
	{ "ptrace", trace, EPERM, false },
	{ "process_vm_readv", read_memory, EPERM, false },
	{ "kill", signal_parent, EPERM, false },
	{ "tgkill", signal_thread_of_parent, EPERM, false },
	{ "keyctl", keys_of_the_kernel, EPERM, false },
	{ "bpf", program_for_the_kernel, EPERM, false },
	{ "io_uring_setup", ring, EPERM, false },
	{ "unshare", new_namespace, EPERM, false },
	{ "mount", mount_something, EPERM, false },
	{ "setresuid", be_root, EPERM, false },
	{ "allow dumps", allow_dumps, EPERM, false },
	{ "allow core files", allow_core_files, EPERM, false },
	{ "a call of the future", call_of_the_future, ENOSYS, false },
};

static int
read_its_key(void)
{
	return result(openat(targets.keysfd, "log.pem", O_RDONLY | O_CLOEXEC));
}

static int
make_and_rename(void)
{
	return openat(targets.keysfd, "new", O_WRONLY | O_CREAT | O_EXCL,
		   0600) < 0 ?
	    errno :
	    result(renameat(targets.keysfd, "new", targets.keysfd, "newer"));
}

static int
remember(void)
{
	struct tf_signer_state s = { .fd = -1 };

	return tf_signer_state_open(&s, targets.keysfd, TF_SIGNER_STATE,
		   NULL) == TF_OK &&
		tf_signer_state_lock(&s, NULL) == TF_OK ?
	    DONE :
	    EIO;
}

static const struct attempt signer_needs[] = {
	{ "read a key", read_its_key, DONE, false },
	{ "make and rename a key", make_and_rename, DONE, false },
	{ "remember what was signed", remember, DONE, false },
};

/* --- of the follower ---------------------------------------------------------- */

static int
link_in_copies(void)
{
	return link_in_store();
}

/* 127.0.0.1 has no such port, or is not up; the call itself is allowed. */
static int
connect_somewhere(void)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(1),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (const struct sockaddr *)&to, sizeof to) < 0 &&
		errno != ECONNREFUSED && errno != ENETUNREACH ?
	    errno :
	    DONE;
}

static int
be_a_server(void)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
		.sin_port = htons(47111) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return result(bind(fd, (const struct sockaddr *)&at, sizeof at));
}

static int
listen_in_copies(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (chdir(targets.store) < 0)
		return errno;
	strcpy(at.sun_path, ".follow");
	return result(bind(fd, (const struct sockaddr *)&at, sizeof at)) ||
		result(listen(fd, 1)) ?
	    errno :
	    DONE;
}

static int
make_copy(void)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/copy", targets.store);
	return result(mkdir(path, 0700));
}

static int
read_resolver(void)
{
	return opens("/etc/nsswitch.conf", O_RDONLY);
}

static const struct attempt of_follower[] = {
	{ "read a file outside", read_beside, EACCES, false },
	{ "read a secret key outside", read_key, EACCES, false },
	{ "write a file outside", write_beside, EACCES, false },
	{ "make a file in /etc", make_in_etc, EACCES, false },
	{ "make a file in /root", make_in_root, EACCES, false },
	{ "make a file in /tmp", make_in_tmp, EACCES, false },
	{ "list /root", list_home, EACCES, false },
	{ "write to /proc", write_proc, EACCES, false },
	{ "read /etc/shadow", read_shadow, EACCES, true },
	{ "make a symbolic link", link_in_copies, EPERM, false },
	{ "be a server", be_a_server, EACCES, false },
	{ "execve", execute, EPERM, false },
	{ "execveat", execute_fd, EPERM, false },
	{ "fork", fork_child, EPERM, false },
	{ "clone a process", clone_process, EPERM, false },
	{ "a socket of netlink", netlink, EPERM, false },
	{ "a socket of packets", packets, EPERM, false },
	{ "an abstract socket", abstract_socket, EPERM, false },
	{ "ptrace", trace, EPERM, false },
	{ "process_vm_readv", read_memory, EPERM, false },
	{ "kill", signal_parent, EPERM, false },
	{ "keyctl", keys_of_the_kernel, EPERM, false },
	{ "bpf", program_for_the_kernel, EPERM, false },
	{ "io_uring_setup", ring, EPERM, false },
	{ "unshare", new_namespace, EPERM, false },
	{ "mount", mount_something, EPERM, false },
	{ "umount2", unmount_something, EPERM, false },
	{ "chroot", other_root, EPERM, false },
	{ "setresuid", be_root, EPERM, false },
	{ "clock_settime", set_the_clock, EPERM, false },
	{ "a call of the future", call_of_the_future, ENOSYS, false },
};

static const struct attempt follower_needs[] = {
	{ "make a copy", make_copy, DONE, false },
	{ "listen for daemons", listen_in_copies, DONE, false },
	{ "connect", connect_somewhere, DONE, false },
	{ "name a user", name_a_user, DONE, false },
	{ "find a host", read_resolver, DONE, false },
	{ "start a thread", start_a_thread, DONE, false },
};

/* --- on keys in the store, of root ---------------------------------------------- */

static int
read_key_in_store(void)
{
	return in_store("keys/log.pem", O_RDONLY);
}

static int
read_attester_in_store(void)
{
	return in_store("keys/attester.pem", O_RDONLY);
}

static int
change_what_was_signed(void)
{
	return in_store("keys/signer.state", O_RDWR);
}

static int
list_keys(void)
{
	return in_store("keys", O_RDONLY | O_DIRECTORY);
}

static int
exchange_a_key(void)
{
	char from[4200], to[4200];

	snprintf(from, sizeof from, "%s/lock", targets.store);
	snprintf(to, sizeof to, "%s/keys/log.pem", targets.store);
	return result(rename(from, to));
}

static int
open_keys_to_all(void)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/keys", targets.store);
	return result(chmod(path, 0777));
}

static const struct attempt on_keys[] = {
	{ "read the log's key", read_key_in_store, EACCES, false },
	{ "read the attester's key", read_attester_in_store, EACCES, false },
	{ "change what was signed", change_what_was_signed, EACCES, false },
	{ "list keys/", list_keys, EACCES, false },
	{ "exchange a key", exchange_a_key, EACCES, false },
	{ "open keys/ to all", open_keys_to_all, EPERM, false },
};

const struct attempts attempts_of_daemon = { of_daemon, LEN(of_daemon) };
const struct attempts needs_of_daemon = { daemon_needs, LEN(daemon_needs) };
const struct attempts attempts_of_signer = { of_signer, LEN(of_signer) };
const struct attempts needs_of_signer = { signer_needs, LEN(signer_needs) };
const struct attempts attempts_of_follower = { of_follower, LEN(of_follower) };
const struct attempts needs_of_follower = { follower_needs,
	LEN(follower_needs) };
const struct attempts attempts_on_keys = { on_keys, LEN(on_keys) };
