/*
 * The yardstick: what a plain native program needs for the work of macscan's first reading. It reads a pcap or pcapng
 * file through a buffer, decodes Ethernet, 802.1Q, PPPoE, IPv4, IPv6, TCP and UDP, keeps a table of flow directions per
 * interface, VLAN and source MAC with the runs of frames to one destination MAC, and learns bindings from ARP, NDP and
 * DHCP. It prints what it counted as one line of JSON.
 *
 *   macbench FILE              one packet after the other
 *   macbench --prefetch FILE   in batches whose cache misses overlap
 *   macbench --walk FILE       record headers only: the floor under any reader
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (256 * 1024)  /* bytes asked of one read() */
#define CARRY (512 * 1024)  /* room for the record that a chunk ends in */
#define BATCH 64
#define MAX_INTERFACES 256
#define MAX_RUNS 16         /* runs kept per flow direction; later ones are only counted */

enum mode { PLAIN, PREFETCH, WALK };

static void fail(const char *what)
{
    fprintf(stderr, "macbench: %s\n", what);
    exit(2);
}

static void *grow(void *memory, size_t bytes)
{
    void *grown = realloc(memory, bytes);
    if (!grown) fail("out of memory");
    return grown;
}

static uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static uint32_t be32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, 4);
    return __builtin_bswap32(value);
}

/* ---- frames: one decoded packet ---- */

struct frame {
    uint64_t time;      /* ns since 1970 */
    uint32_t number;
    uint32_t length;
    uint32_t src, dst;  /* IPv4 address, or number of an interned IPv6 address */
    uint32_t ports;
    uint32_t meta;      /* interface, VLAN, protocol, IP version, first hop: the rest of the key */
    uint32_t hash;
    uint8_t dst_mac[6], src_mac[6];
};

#define META_IPV6 1u
#define META_ORIGIN 2u  /* hop limit still at an initial value: the sender made the packet itself */

static struct {
    uint64_t packets, bytes, ip, arp, ndp, dhcp, malformed, mac_changes;
} counted;

static uint32_t mix(uint32_t hash, uint32_t word)
{
    hash = (hash ^ word) * 0x9e3779b1u;
    return hash ^ hash >> 15;
}

/* ---- IPv6 addresses, interned so that one small key serves both families ---- */

static struct {
    uint8_t (*addresses)[16];
    uint32_t *slots, used, capacity, mask;
} interned;

static void intern_rehash(uint32_t slots);

static uint32_t hash_address(const uint8_t *address)
{
    uint32_t words[4];
    memcpy(words, address, 16);
    return mix(mix(mix(mix(1, words[0]), words[1]), words[2]), words[3]);
}

static uint32_t intern(const uint8_t *address)
{
    if (interned.used * 2 >= interned.mask) intern_rehash(interned.mask ? (interned.mask + 1) * 2 : 4096);
    uint32_t at = hash_address(address) & interned.mask;
    while (interned.slots[at]) {
        if (!memcmp(interned.addresses[interned.slots[at] - 1], address, 16)) return interned.slots[at] - 1;
        at = (at + 1) & interned.mask;
    }
    if (interned.used == interned.capacity) {
        interned.capacity = interned.capacity ? interned.capacity * 2 : 1024;
        interned.addresses = grow(interned.addresses, interned.capacity * sizeof *interned.addresses);
    }
    memcpy(interned.addresses[interned.used], address, 16);
    interned.slots[at] = ++interned.used;
    return interned.used - 1;
}

static void intern_rehash(uint32_t slots)
{
    free(interned.slots);
    interned.slots = calloc(slots, sizeof *interned.slots);
    if (!interned.slots) fail("out of memory");
    interned.mask = slots - 1;
    for (uint32_t i = 0; i < interned.used; i++) {
        uint32_t at = hash_address(interned.addresses[i]) & interned.mask;
        while (interned.slots[at]) at = (at + 1) & interned.mask;
        interned.slots[at] = i + 1;
    }
}

/* ---- bindings: who said which MAC an address has ---- */

struct binding {
    uint32_t ip, meta;  /* meta 0: free slot; else interface, VLAN, version, plus one bit that is always set */
    uint32_t changes, witnesses;
    uint64_t first, last;
    uint8_t mac[6];
};

static struct {
    struct binding *slots;
    uint32_t used, mask;
    uint64_t changes;
} bindings;

static struct binding *binding_slot(uint32_t ip, uint32_t meta)
{
    uint32_t at = mix(mix(7, ip), meta) & bindings.mask;
    while (bindings.slots[at].meta && (bindings.slots[at].ip != ip || bindings.slots[at].meta != meta))
        at = (at + 1) & bindings.mask;
    return &bindings.slots[at];
}

static void bindings_grow(void)
{
    struct binding *old = bindings.slots;
    uint32_t count = old ? bindings.mask + 1 : 0;
    bindings.mask = count ? count * 2 - 1 : 4095;
    bindings.slots = calloc((size_t)bindings.mask + 1, sizeof *bindings.slots);
    if (!bindings.slots) fail("out of memory");
    for (uint32_t i = 0; i < count; i++)
        if (old[i].meta) *binding_slot(old[i].ip, old[i].meta) = old[i];
    free(old);
}

static void learn(const struct frame *frame, uint32_t ip, uint32_t version, const uint8_t *mac)
{
    if (bindings.used * 2 >= bindings.mask) bindings_grow();
    uint32_t meta = (frame->meta & 0xfffff000u) | 0x800u | version;
    struct binding *binding = binding_slot(ip, meta);
    if (!binding->meta) {
        *binding = (struct binding){ .ip = ip, .meta = meta, .first = frame->time };
        memcpy(binding->mac, mac, 6);
        bindings.used++;
    } else if (memcmp(binding->mac, mac, 6)) {
        memcpy(binding->mac, mac, 6);
        binding->changes++;
        bindings.changes++;
    }
    binding->witnesses++;
    binding->last = frame->time;
}

/* ---- flow directions: one record of a cache line each, found through a table of (hash, number) ---- */

struct flow {
    uint32_t src, dst, ports, meta;
    uint8_t src_mac[6], dst_mac[6];
    uint32_t frames, runs;  /* of the run that goes on; of all runs */
    uint64_t bytes, first, last;
};

struct run {
    uint32_t flow, frames;
    uint64_t bytes, first, last;
    uint8_t dst_mac[6];
};

struct slot { uint32_t hash, flow; };  /* flow: number plus one, 0 for a free slot */

static struct {
    struct flow *flows;
    struct slot *slots;
    uint32_t used, capacity, mask;
    struct run *runs;
    uint32_t runs_used, runs_capacity;
} table;

static void table_rehash(uint32_t slots)
{
    struct slot *old = table.slots;
    uint32_t count = old ? table.mask + 1 : 0;
    table.slots = calloc(slots, sizeof *table.slots);
    if (!table.slots) fail("out of memory");
    table.mask = slots - 1;
    for (uint32_t i = 0; i < count; i++) {
        if (!old[i].flow) continue;
        uint32_t at = old[i].hash & table.mask;
        while (table.slots[at].flow) at = (at + 1) & table.mask;
        table.slots[at] = old[i];
    }
    free(old);
}

static void hash_frame(struct frame *frame)
{
    uint32_t mac;
    memcpy(&mac, frame->src_mac + 2, 4);
    frame->hash = mix(mix(mix(mix(mix(3, frame->src), frame->dst), frame->ports), frame->meta), mac);
}

static int same_flow(const struct flow *flow, const struct frame *frame)
{
    return flow->src == frame->src && flow->dst == frame->dst && flow->ports == frame->ports &&
           flow->meta == frame->meta && !memcmp(flow->src_mac, frame->src_mac, 6);
}

static void close_run(struct flow *flow, uint32_t number)
{
    if (flow->runs > MAX_RUNS) return;
    if (table.runs_used == table.runs_capacity) {
        table.runs_capacity = table.runs_capacity ? table.runs_capacity * 2 : 256;
        table.runs = grow(table.runs, table.runs_capacity * sizeof *table.runs);
    }
    struct run *run = &table.runs[table.runs_used++];
    *run = (struct run){ number, flow->frames, flow->bytes, flow->first, flow->last, { 0 } };
    memcpy(run->dst_mac, flow->dst_mac, 6);
}

static void begin_run(struct flow *flow, const struct frame *frame)
{
    memcpy(flow->dst_mac, frame->dst_mac, 6);
    flow->frames = 0;
    flow->bytes = 0;
    flow->first = frame->time;
    flow->runs++;
}

static void count_frame(const struct frame *frame)
{
    uint32_t at = frame->hash & table.mask, number;
    for (;; at = (at + 1) & table.mask) {
        struct slot slot = table.slots[at];
        if (!slot.flow) break;
        if (slot.hash == frame->hash && same_flow(&table.flows[slot.flow - 1], frame)) {
            number = slot.flow - 1;
            goto found;
        }
    }
    if (table.used == table.capacity) {
        table.capacity *= 2;
        table.flows = grow(table.flows, table.capacity * sizeof *table.flows);
    }
    number = table.used++;
    table.slots[at] = (struct slot){ frame->hash, table.used };
    table.flows[number] = (struct flow){ .src = frame->src, .dst = frame->dst, .ports = frame->ports, .meta = frame->meta };
    memcpy(table.flows[number].src_mac, frame->src_mac, 6);
    begin_run(&table.flows[number], frame);
    if (table.used * 2 >= table.mask) table_rehash((table.mask + 1) * 2);
found:;
    struct flow *flow = &table.flows[number];
    if (memcmp(flow->dst_mac, frame->dst_mac, 6)) {
        close_run(flow, number);
        begin_run(flow, frame);
        counted.mac_changes++;
    }
    flow->frames++;
    flow->bytes += frame->length;
    flow->last = frame->time;
}

/* ---- decoding ---- */

static void decode_arp(const struct frame *frame, const uint8_t *p, const uint8_t *end)
{
    if (end - p < 28 || be16(p) != 1 || be16(p + 2) != 0x0800 || p[4] != 6 || p[5] != 4) return;
    counted.arp++;
    if (be32(p + 14)) learn(frame, be32(p + 14), 0, p + 8);
}

static void decode_dhcp(const struct frame *frame, const uint8_t *p, const uint8_t *end)
{
    if (end - p < 240 || p[0] != 2 || be32(p + 236) != 0x63825363) return;
    uint32_t address = be32(p + 16);
    const uint8_t *mac = p + 28;
    for (p += 240; end - p >= 2 && *p != 255;) {
        if (*p == 0) {
            p++;
            continue;
        }
        if (end - p < 2 + p[1]) return;
        if (p[0] == 53 && p[1] == 1 && p[2] == 5 && address) {
            counted.dhcp++;
            learn(frame, address, 0, mac);
        }
        p += 2 + p[1];
    }
}

static void decode_ndp(const struct frame *frame, const uint8_t *p, const uint8_t *end)
{
    static const uint8_t unspecified[16];
    if (end - p < 24 || (p[0] != 135 && p[0] != 136)) return;
    counted.ndp++;
    const uint8_t *address = p[0] == 136 ? p + 8 : interned.addresses[frame->src];
    uint8_t wanted = p[0] == 136 ? 2 : 1;
    if (!memcmp(address, unspecified, 16)) return;
    for (const uint8_t *option = p + 24; end - option >= 8 && option[1]; option += option[1] * 8)
        if (option[0] == wanted) {
            uint8_t copy[16];
            memcpy(copy, address, 16);
            learn(frame, intern(copy), META_IPV6, option + 2);
            return;
        }
}

static void decode_transport(struct frame *frame, uint8_t protocol, const uint8_t *p, const uint8_t *end)
{
    frame->ports = 0;
    if ((protocol == 6 || protocol == 17) && end - p >= 4) {
        uint32_t ports;
        memcpy(&ports, p, 4);
        frame->ports = ports;
        if (protocol == 17 && be16(p) == 67 && be16(p + 2) == 68) decode_dhcp(frame, p + 8, end);
    } else if (protocol == 58) {
        decode_ndp(frame, p, end);
    }
    frame->meta |= (uint32_t)protocol << 2;
}

static uint32_t origin(uint8_t hops) { return hops == 64 || hops == 128 || hops == 255 ? META_ORIGIN : 0; }

static int decode_ipv4(struct frame *frame, const uint8_t *p, const uint8_t *end)
{
    if (end - p < 20 || p[0] >> 4 != 4) return 0;
    int header = (p[0] & 15) * 4;
    if (header < 20 || end - p < header) return 0;
    int total = be16(p + 2);
    if (total >= header && total < end - p) end = p + total;
    frame->src = be32(p + 12);
    frame->dst = be32(p + 16);
    frame->meta |= origin(p[8]);
    decode_transport(frame, p[9], be16(p + 6) & 0x1fff ? end : p + header, end);
    return 1;
}

static int decode_ipv6(struct frame *frame, const uint8_t *p, const uint8_t *end)
{
    if (end - p < 40 || p[0] >> 4 != 6) return 0;
    frame->src = intern(p + 8);
    frame->dst = intern(p + 24);
    frame->meta |= META_IPV6 | origin(p[7]);
    uint8_t next = p[6];
    p += 40;
    for (int i = 0; i < 8 && end - p >= 8; i++) {
        if (next == 44) {
            if (be16(p + 2) & 0xfff8) end = p + 8;
            next = p[0];
            p += 8;
        } else if (next == 0 || next == 43 || next == 60) {
            next = p[0];
            p += (p[1] + 1) * 8;
        } else {
            break;
        }
    }
    decode_transport(frame, next, p < end ? p : end, end);
    return 1;
}

/* Returns 1 when the frame belongs to a flow. */
static int decode(struct frame *frame, uint32_t interface, const uint8_t *p, uint32_t length)
{
    const uint8_t *end = p + length;
    counted.packets++;
    counted.bytes += frame->length;
    if (length < 14) {
        counted.malformed++;
        return 0;
    }
    memcpy(frame->dst_mac, p, 6);
    memcpy(frame->src_mac, p + 6, 6);
    frame->meta = interface << 24;
    uint16_t type = be16(p + 12);
    p += 14;
    for (int tags = 0; (type == 0x8100 || type == 0x88a8) && end - p >= 4 && tags < 4; tags++) {
        if (!tags) frame->meta |= (uint32_t)(be16(p) & 0xfff) << 12;
        type = be16(p + 2);
        p += 4;
    }
    if (type == 0x8864 && end - p >= 8) {
        uint16_t protocol = be16(p + 6);
        type = protocol == 0x0021 ? 0x0800 : protocol == 0x0057 ? 0x86dd : 0;
        p += 8;
    }
    int is_ip = 0;
    if (type == 0x0800) is_ip = decode_ipv4(frame, p, end);
    else if (type == 0x86dd) is_ip = decode_ipv6(frame, p, end);
    else if (type == 0x0806) decode_arp(frame, p, end);
    else return 0;
    if (!is_ip) return 0;
    counted.ip++;
    hash_frame(frame);
    return 1;
}

/* ---- batches ---- */

static struct frame batch[BATCH];
static int batched;

static void flush_batch(void)
{
    for (int i = 0; i < batched; i++) {
        uint32_t number = table.slots[batch[i].hash & table.mask].flow;
        if (number) __builtin_prefetch(&table.flows[number - 1], 1);
    }
    for (int i = 0; i < batched; i++) count_frame(&batch[i]);
    batched = 0;
}

static enum mode mode = PLAIN;

static void packet(uint32_t interface, uint32_t link_type, uint64_t time, const uint8_t *data, uint32_t captured,
                   uint32_t original)
{
    static uint32_t number;
    number++;
    if (mode == WALK || link_type != 1) {
        counted.packets++;
        counted.bytes += original;
        return;
    }
    struct frame *frame = &batch[batched];
    frame->time = time;
    frame->number = number;
    frame->length = original;
    if (!decode(frame, interface, data, captured)) return;
    if (mode == PLAIN) {
        count_frame(frame);
        return;
    }
    __builtin_prefetch(&table.slots[frame->hash & table.mask]);
    if (++batched == BATCH) flush_batch();
}

/* ---- containers ---- */

struct interface { uint32_t link_type; uint64_t per_second; };

static struct interface interfaces[MAX_INTERFACES];
static uint32_t first_interface, interface_count;  /* of this section; of all sections */
static int swapped, nanoseconds;
static uint32_t pcap_link_type;

static uint32_t u32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, 4);
    return swapped ? __builtin_bswap32(value) : value;
}

static uint16_t u16(const uint8_t *p)
{
    uint16_t value;
    memcpy(&value, p, 2);
    return swapped ? __builtin_bswap16(value) : value;
}

static void describe_interface(const uint8_t *p, uint32_t length)
{
    if (interface_count == MAX_INTERFACES) fail("too many interfaces");
    struct interface *interface = &interfaces[interface_count++];
    *interface = (struct interface){ u16(p + 8), 1000000 };
    for (const uint8_t *option = p + 16; option + 4 <= p + length - 4 && u16(option);) {
        uint32_t size = u16(option + 2);
        if (u16(option) == 9 && size == 1) {
            uint8_t resolution = option[4];
            interface->per_second = 1;
            for (int i = 0; i < (resolution & 127); i++) interface->per_second *= resolution & 128 ? 2 : 10;
        }
        option += 4 + ((size + 3) & ~3u);
    }
}

/* Reads one pcapng block at p, of which `have` bytes are there. Returns its length, or 0 when more bytes are needed. */
static uint32_t block(const uint8_t *p, size_t have)
{
    if (have < 12) return 0;
    uint32_t type = u32(p);
    if (type == 0x0a0d0d0a) {
        uint32_t magic;
        memcpy(&magic, p + 8, 4);
        swapped = magic != 0x1a2b3c4d;
        first_interface = interface_count;
    }
    uint32_t length = u32(p + 4);
    if (length < 12 || length > CARRY) fail("block length out of range");
    if (length > have) return 0;
    if (type == 1 && length >= 20) {
        describe_interface(p, length);
    } else if (type == 6 && length >= 32) {
        uint32_t id = first_interface + u32(p + 8), captured = u32(p + 20);
        if (id >= interface_count || captured > length - 32) fail("malformed packet block");
        uint64_t ticks = (uint64_t)u32(p + 12) << 32 | u32(p + 16);
        uint64_t per_second = interfaces[id].per_second;
        uint64_t time = per_second == 1000000000 ? ticks : per_second == 1000000 ? ticks * 1000
            : (uint64_t)((__uint128_t)ticks * 1000000000 / per_second);
        packet(id, interfaces[id].link_type, time, p + 28, captured, u32(p + 24));
    } else if (type == 3 && length >= 16 && first_interface < interface_count) {
        uint32_t original = u32(p + 8), captured = original < length - 16 ? original : length - 16;
        packet(first_interface, interfaces[first_interface].link_type, 0, p + 12, captured, original);
    }
    return length;
}

/* The same for one pcap record. */
static uint32_t record(const uint8_t *p, size_t have)
{
    if (have < 16) return 0;
    uint32_t captured = u32(p + 8);
    if (captured > CARRY - 16) fail("record length out of range");
    if (have < 16 + captured) return 0;
    uint64_t time = (uint64_t)u32(p) * 1000000000 + (uint64_t)u32(p + 4) * (nanoseconds ? 1 : 1000);
    packet(0, pcap_link_type, time, p + 16, captured, u32(p + 12));
    return 16 + captured;
}

static size_t pcap_header(const uint8_t *p)
{
    uint32_t magic;
    memcpy(&magic, p, 4);
    swapped = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;
    nanoseconds = magic == 0xa1b23c4d || magic == 0x4d3cb2a1;
    if (!swapped && !nanoseconds && magic != 0xa1b2c3d4) fail("neither pcap nor pcapng");
    pcap_link_type = u32(p + 20) & 0x0fffffff;
    return 24;
}

static void read_capture(int file)
{
    uint8_t *base;  /* chunks always begin here, aligned; what the last chunk left over is put before it */
    if (posix_memalign((void **)&base, 4096, CARRY + CHUNK)) fail("out of memory");
    base += CARRY;
    size_t carried = 0;
    int begun = 0;
    uint32_t (*next)(const uint8_t *, size_t) = record;
    for (ssize_t got; (got = read(file, base, CHUNK)) > 0;) {
        const uint8_t *p = base - carried, *end = base + got;
        if (!begun) {
            if (end - p < 28) fail("too short");
            begun = 1;
            if (be32(p) == 0x0a0d0d0a) next = block;
            else p += pcap_header(p);
        }
        for (uint32_t length; (length = next(p, (size_t)(end - p)));) p += length;
        if (mode == PREFETCH) flush_batch();
        carried = (size_t)(end - p);
        if (carried > CARRY) fail("record too long");
        memmove(base - carried, p, carried);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--walk")) mode = WALK;
    else if (argc == 3 && !strcmp(argv[1], "--prefetch")) mode = PREFETCH;
    else if (argc != 2) fail("usage: macbench [--walk | --prefetch] FILE");
    int file = open(argv[argc - 1], O_RDONLY);
    if (file < 0) fail("cannot open the file");
    table.capacity = 4096;
    table.flows = grow(NULL, table.capacity * sizeof *table.flows);
    table_rehash(16384);
    read_capture(file);
    printf("{\"packets\":%lu,\"bytes\":%lu,\"ip\":%lu,\"arp\":%lu,\"ndp\":%lu,\"dhcp\":%lu,\"malformed\":%lu,"
           "\"flowDirections\":%u,\"macChanges\":%lu,\"closedRuns\":%u,\"bindings\":%u,\"bindingChanges\":%lu}\n",
           counted.packets, counted.bytes, counted.ip, counted.arp, counted.ndp, counted.dhcp, counted.malformed,
           table.used, counted.mac_changes, table.runs_used, bindings.used, bindings.changes);
    return 0;
}
