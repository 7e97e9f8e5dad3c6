// Runs a program under a seccomp filter that refuses io_uring with EPERM, as Docker's default profile does:
//   no-io-uring program argument...
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      // io_uring_setup, io_uring_enter and io_uring_register follow one another.
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SYS_io_uring_setup, 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SYS_io_uring_setup + 2, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof rules / sizeof rules[0], .filter = rules};
  if (argc < 2) {
    fprintf(stderr, "usage: no-io-uring program argument...\n");
    return 2;
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    fprintf(stderr, "no-io-uring: the filter is refused: %s\n", strerror(errno));
    return 2;
  }
  if (syscall(SYS_io_uring_setup, 1, NULL) != -1 || errno != EPERM) {
    fprintf(stderr, "no-io-uring: the filter does not filter\n");
    return 2;
  }
  execvp(argv[1], argv + 1);
  fprintf(stderr, "no-io-uring: %s: %s\n", argv[1], strerror(errno));
  return 127;
}
