/* The closed queueing model of closed_queue.py as a bare loop: what an event costs at the least.
 *
 * Customers go through the same steps again and again: a delay, then a turn at a line, first come
 * first served, longer if another customer had it last. Two events a turn: the customer arrives,
 * the turn ends. Events are chosen by a sorted list, a binary heap or a tournament tree.
 *
 * closed_queue METHOD CUSTOMERS UNTIL_PS TRANSFER_PS < steps   (METHOD: list, heap or tournament)
 * steps: a line each, "delay_ps spread_ps line service_ps". It prints turns, and its CPU time in ns.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { int64_t delay, spread, service; int line; } Step;
typedef struct { int first, last, owner, busy; } Line;
typedef struct { int step, next, serving; } Customer;

enum { BITS = 10, MOST = 1 << BITS };
#define KEY(time, customer) ((time) << BITS | (customer))

static Step steps[256];
static Line lines[256];
static Customer customers[MOST];
static int64_t keys[MOST + 1], leaves[2 * MOST];
static int live, width;
static uint64_t random_state = 88172645463325252u;

static int64_t draw(int64_t spread) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return spread ? (int64_t)(random_state % (uint64_t)(2 * spread)) - spread : 0;
}

/* Sorted, the earliest last. */
static inline void list_put(int64_t key) {
    int at = live++;
    while (at > 0 && keys[at - 1] < key) { keys[at] = keys[at - 1]; at--; }
    keys[at] = key;
}
static inline int64_t list_take(void) { return keys[--live]; }

static inline void heap_put(int64_t key) {
    int at = ++live;
    while (at > 1 && keys[at / 2] > key) { keys[at] = keys[at / 2]; at /= 2; }
    keys[at] = key;
}
static inline int64_t heap_take(void) {
    int64_t first = keys[1], key = keys[live--];
    int at = 1, child;
    while ((child = 2 * at) <= live) {
        child += child < live && keys[child + 1] < keys[child];
        if (keys[child] >= key) break;
        keys[at] = keys[child];
        at = child;
    }
    keys[at] = key;
    return first;
}

/* Every customer has a leaf; an inner node has the earlier of its children. */
static inline void set_leaf(int64_t customer, int64_t key) {
    int at = width + (int)customer;
    leaves[at] = key;
    for (at /= 2; at; at /= 2)
        leaves[at] = leaves[2 * at] < leaves[2 * at + 1] ? leaves[2 * at] : leaves[2 * at + 1];
}
static inline void tournament_put(int64_t key) { set_leaf(key & (MOST - 1), key); }
static inline int64_t tournament_take(void) {
    int64_t first = leaves[1];
    set_leaf(first & (MOST - 1), INT64_MAX);
    return first;
}

static int64_t turns;

#define PLAY(put, take)                                                                        \
    for (int c = 0; c < count; c++) put(KEY(draw(steps[0].delay) + steps[0].delay, (int64_t)c)); \
    for (int64_t key = take(); key >> BITS < until; key = take()) {                            \
        int64_t now = key >> BITS;                                                             \
        int c = key & (MOST - 1);                                                              \
        Customer *who = &customers[c];                                                         \
        Line *line = &lines[steps[who->step].line];                                            \
        if (!who->serving) {                                     \
            if (line->busy) {                                                                  \
                who->next = -1;                                                                \
                if (line->first < 0) line->first = c; else customers[line->last].next = c;     \
                line->last = c;                                                                \
                continue;                                                                      \
            }                                                                                  \
            line->busy = who->serving = 1;                                                     \
            put(KEY(now + steps[who->step].service + (line->owner != c) * transfer, (int64_t)c)); \
            line->owner = c;                                                                   \
            continue;                                                                          \
        }                                                                                      \
        turns++;                                                                               \
        who->serving = 0;                                                                      \
        int next = line->first;                                                                \
        if (next < 0) line->busy = 0;                                                          \
        else {                                                                                 \
            line->first = customers[next].next;                                                \
            customers[next].serving = 1;                                                       \
            line->owner = next;                                                                \
            put(KEY(now + steps[customers[next].step].service + transfer, (int64_t)next));     \
        }                                                                                      \
        if (++who->step == length) who->step = 0;                                              \
        put(KEY(now + steps[who->step].delay + draw(steps[who->step].spread), (int64_t)c));    \
    }

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int count = atoi(argv[2]), length = 0;
    int64_t until = atoll(argv[3]), transfer = atoll(argv[4]);
    if (count < 1 || count > MOST) return 2;
    long long delay, spread, service;
    int on;
    while (length < 256 && scanf("%lld %lld %d %lld", &delay, &spread, &on, &service) == 4)
        steps[length++] = (Step){delay, spread, service, on};
    for (int i = 0; i < 256; i++) lines[i] = (Line){.first = -1, .last = -1, .owner = -1};
    for (width = 1; width < count; width *= 2) {}
    for (int i = 0; i < 2 * MOST; i++) leaves[i] = INT64_MAX;
    struct timespec from, to;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    if (!strcmp(argv[1], "list")) { PLAY(list_put, list_take) }
    else if (!strcmp(argv[1], "heap")) { PLAY(heap_put, heap_take) }
    else if (!strcmp(argv[1], "tournament")) { PLAY(tournament_put, tournament_take) }
    else return 2;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    int64_t ns = (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec;
    printf("%lld %lld\n", (long long)turns, (long long)ns);
    return 0;
}
