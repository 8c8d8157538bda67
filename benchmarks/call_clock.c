/* Stands in for llama_decode and llama_synchronize, calls them, and keeps when each was entered and left. */
#include <stdint.h>
#include <time.h>

/* As in llama.h, where it goes by value. */
struct llama_batch {
    int32_t n_tokens;
    int32_t *token;
    float *embd;
    int32_t *pos;
    int32_t *n_seq_id;
    int32_t **seq_id;
    int8_t *logits;
};

struct call {
    int64_t decode_start_ns, decode_end_ns, synchronize_start_ns, synchronize_end_ns;
};

int32_t (*real_decode)(void *, struct llama_batch);
void (*real_synchronize)(void *);
struct call *calls;
int32_t room, count;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int32_t clocked_decode(void *context, struct llama_batch batch) {
    int64_t start_ns = now_ns();
    int32_t status = real_decode(context, batch);
    if (count < room) {
        calls[count].decode_start_ns = start_ns;
        calls[count].decode_end_ns = now_ns();
    }
    return status;
}

void clocked_synchronize(void *context) {
    int64_t start_ns = now_ns();
    real_synchronize(context);
    if (count < room) {
        calls[count].synchronize_start_ns = start_ns;
        calls[count].synchronize_end_ns = now_ns();
        count++;
    }
}
