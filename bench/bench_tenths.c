/*
 * bench_tenths.c - how long each tenth of the work took.
 */
#include "bench_tenths.h"

#include "clock.h"

void bench_tenths_begin(struct bench_tenths *tenths, uint64_t total_bytes)
{
    *tenths = (struct bench_tenths){.total_bytes = total_bytes, .begin_ns = clock_mono_ns()};
}

void bench_tenths_add(struct bench_tenths *tenths, uint64_t bytes)
{
    tenths->bytes += bytes;
    while (tenths->passed < BENCH_TENTHS &&
           tenths->bytes >= tenths->total_bytes * (tenths->passed + 1) / BENCH_TENTHS) {
        uint64_t now_ns = clock_mono_ns();

        tenths->passed_ns[tenths->passed] = now_ns - tenths->paused_ns;
        tenths->passed_bytes[tenths->passed] = tenths->bytes;
        tenths->passed++;
        if (tenths->disk != NULL) {
            bench_disk_pass(tenths->disk, tenths->total_bytes / BENCH_TENTHS);
            tenths->paused_ns += clock_mono_ns() - now_ns;
        }
    }
}

void bench_tenths_json(const struct bench_tenths *tenths, struct json *json)
{
    uint64_t from_ns = tenths->begin_ns, from_bytes = 0;

    json_begin_array(json);
    for (unsigned i = 0; i < tenths->passed; i++) {
        json_begin_object(json);
        json_key(json, "bytes");
        json_uint(json, tenths->passed_bytes[i] - from_bytes);
        json_key(json, "seconds");
        json_double(json, (double)(tenths->passed_ns[i] - from_ns) / (double)NS_PER_S);
        json_end_object(json);
        from_ns = tenths->passed_ns[i];
        from_bytes = tenths->passed_bytes[i];
    }
    json_end_array(json);
}
