/* The least that measures a uprobe: threads, one perf event, one BPF counter. For live_vs_c.py.
 * Usage: live_vs_c NOP_BYTES CPUS WARMUP_MS MS; prints hits per second of CPU time, times CPUS.
 * Fails if calls != hits. */
#define _GNU_SOURCE
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

asm(".text; .p2align 6; .globl nop1, nop5\n"
    "nop1: nop; ret; .p2align 6\n"
    "nop5: .byte 0x0f,0x1f,0x44,0,0; ret\n");
extern char nop1[], nop5[], __executable_start[];
static void (*target)(void);
static volatile int stop;
static struct { volatile unsigned long calls; char pad[120]; } made[1024];
static struct { volatile unsigned long hits; char pad[120]; } *counted;

static void *run(void *index) {
	long i = (long)index;
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
	do { target(); made[i].calls++; } while (!stop);
	return NULL;
}

static long total(void) {
	long sum = 0;
	for (int i = 0; i < 1024; i++) sum += counted[i].hits;
	return sum;
}

static double cpu_time(void) {
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static long attach(void) {
	union bpf_attr map = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
		.value_size = sizeof(made), .max_entries = 1, .map_flags = BPF_F_MMAPABLE};
	int fd = syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map));
	counted = mmap(NULL, sizeof(made), PROT_READ, MAP_SHARED, fd, 0);
	struct bpf_insn code[] = {
		{.code = 0x85, .imm = BPF_FUNC_get_smp_processor_id},
		{.code = 0x57, .dst_reg = 0, .imm = 1023}, {.code = 0x67, .dst_reg = 0, .imm = 7},
		{.code = 0x18, .dst_reg = 1, .src_reg = 2, .imm = fd}, {0},
		{.code = 0x0f, .dst_reg = 1, .src_reg = 0}, {.code = 0xb7, .dst_reg = 2, .imm = 1},
		{.code = 0xdb, .dst_reg = 1, .src_reg = 2}, {.code = 0xb7}, {.code = 0x95}};
	union bpf_attr prog = {.prog_type = BPF_PROG_TYPE_KPROBE, .insns = (unsigned long)code,
		.insn_cnt = sizeof(code) / 8, .license = (unsigned long)"GPL"};
	int program = syscall(SYS_bpf, BPF_PROG_LOAD, &prog, sizeof(prog));
	struct perf_event_attr event = {.size = sizeof(event)};
	FILE *type = fopen("/sys/bus/event_source/devices/uprobe/type", "r");
	if (!type || fscanf(type, "%u", &event.type) != 1) return -1;
	event.config1 = (unsigned long)"/proc/self/exe";
	/* Linked with the text segment's address equal to its offset in the file. */
	event.config2 = (unsigned long)target - (unsigned long)__executable_start;
	int probe = syscall(SYS_perf_event_open, &event, -1, 0, -1, 0);
	return ioctl(probe, PERF_EVENT_IOC_SET_BPF, program) | ioctl(probe, PERF_EVENT_IOC_ENABLE, 0);
}

int main(int argc, char **argv) {
	if (argc != 5) return 2;
	target = (void (*)(void))(atoi(argv[1]) == 5 ? nop5 : nop1);
	long cpus = atoi(argv[2]), calls = 0;
	if (attach()) { perror("attach"); return 1; }
	pthread_t threads[cpus];
	for (long i = 0; i < cpus; i++) pthread_create(&threads[i], NULL, run, (void *)i);
	usleep(1000 * atoi(argv[3]));
	double began = cpu_time();
	long first = total();
	usleep(1000 * atoi(argv[4]));
	double rate = cpus * (total() - first) / (cpu_time() - began);
	stop = 1;
	for (long i = 0; i < cpus; i++) { pthread_join(threads[i], NULL); calls += made[i].calls; }
	if (calls != total()) { fprintf(stderr, "%ld calls, %ld hits\n", calls, total()); return 1; }
	printf("%.0f\n", rate);
	return 0;
}
