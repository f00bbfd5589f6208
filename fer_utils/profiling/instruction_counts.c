/* QEMU plugin: counts the ARM64 instructions that a program executes, by kind.
 *
 * The program marks a moment by close(-2000 - k); the plugin then prints "COUNTED k" and its totals so far on
 * standard error. The kinds follow the top-level encodings of the Arm Architecture Reference Manual for A-profile
 * (DDI 0487, section C4.1). Written for version 1 of QEMU's plugin interface (QEMU 4.2 to 8.2), whose few functions
 * are declared here because Debian ships no header. One thread only: the totals are not atomic.
 *
 * QEMU is under the GNU General Public License, version 2, with which the project's Apache License 2.0 is not
 * compatible. This file alone is therefore under the MIT licence:
 *
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 the maintainers of this project
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
 * documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
 * rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to
 * permit persons to whom the Software is furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
 * Software.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
 * WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
 * COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
 * OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t plugin_id;
struct block;       /* qemu_plugin_tb: instructions that are translated together */
struct instruction; /* qemu_plugin_insn */

enum { INLINE_ADD_U64 = 0 }; /* QEMU_PLUGIN_INLINE_ADD_U64 */

typedef void (*on_translation)(plugin_id, struct block *);
typedef void (*on_system_call)(plugin_id, unsigned processor, int64_t number, uint64_t, uint64_t, uint64_t, uint64_t,
                               uint64_t, uint64_t, uint64_t, uint64_t);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_translation);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, on_system_call);
void qemu_plugin_register_vcpu_tb_exec_inline(struct block *, int operation, void *total, uint64_t amount);
size_t qemu_plugin_tb_n_insns(const struct block *);
struct instruction *qemu_plugin_tb_get_insn(const struct block *, size_t);
const void *qemu_plugin_insn_data(const struct instruction *);

int qemu_plugin_version = 1;

enum kind {
    FUSED_MULTIPLY_ADDS,
    INTEGER_MULTIPLIES,
    VECTOR_LOADS_STORES,
    OTHER_LOADS_STORES,
    OTHERS,
    KINDS
};

static const char *const NAMES[KINDS] = {
    "fused_multiply_adds", "integer_multiplies", "vector_loads_stores", "other_loads_stores", "others",
};
static uint64_t totals[KINDS];

static const int64_t CLOSE = 57;       /* include/uapi/asm-generic/unistd.h of Linux */
static const int32_t FIRST_MARK = -2000; /* no program closes such a file */

static uint32_t bits(uint32_t word, int high, int low) {
    return (word >> low) & ((1u << (high - low + 1)) - 1);
}

/* "Advanced SIMD three different": SMLAL, UMLAL, SMLSL, UMLSL, SMULL, UMULL; polynomials (1110) are none. */
static bool is_long_multiply(uint32_t word) {
    uint32_t opcode = bits(word, 15, 12);
    return (word & 0x9F200C00) == 0x0E200000 && (opcode == 8 || opcode == 10 || opcode == 12);
}

/* "Advanced SIMD three same": MLA, MLS (opcode 10010, either U) and MUL (10011 with U = 0; with U = 1, polynomials). */
static bool is_same_size_multiply(uint32_t word) {
    uint32_t opcode = bits(word, 15, 11);
    return (word & 0x9F200400) == 0x0E200400 && (opcode == 18 || (opcode == 19 && !bits(word, 29, 29)));
}

/* "Advanced SIMD vector x indexed element" on integers: MLA, MLS (U = 1), MUL (U = 0), and the long ones, either U. */
static bool is_multiply_by_element(uint32_t word) {
    uint32_t opcode = bits(word, 15, 12), size = bits(word, 23, 22);
    bool is_unsigned = bits(word, 29, 29);
    bool is_long = opcode == 2 || opcode == 6 || opcode == 10;
    bool is_same_size = is_unsigned ? (opcode == 0 || opcode == 4) : opcode == 8;
    return (word & 0x9F000400) == 0x0F000000 && (size == 1 || size == 2) && (is_long || is_same_size);
}

/* FMLA and FMLS of vectors of 32-bit or 64-bit floats: "three same" 11001, "by element" 0x01. */
static bool is_fused_multiply_add(uint32_t word) {
    return (word & 0xBF20FC00) == 0x0E20CC00 || (word & 0xBF80B400) == 0x0F801000;
}

static enum kind kind_of(uint32_t word) {
    uint32_t group = bits(word, 28, 25);
    if ((group & 5) == 4) /* loads and stores: x1x0, whose bit 26 tells SIMD and floating-point registers */
        return bits(word, 26, 26) ? VECTOR_LOADS_STORES : OTHER_LOADS_STORES;
    if (is_fused_multiply_add(word))
        return FUSED_MULTIPLY_ADDS;
    if (is_long_multiply(word) || is_same_size_multiply(word) || is_multiply_by_element(word))
        return INTEGER_MULTIPLIES;
    return OTHERS;
}

/* Exported, beside what QEMU needs, so that the kinds can be tested without QEMU. */
const char *name_of_kind(uint32_t word) { return NAMES[kind_of(word)]; }

static void count_block(plugin_id id, struct block *block) {
    uint64_t here[KINDS] = {0};
    (void)id;
    for (size_t place = 0; place < qemu_plugin_tb_n_insns(block); place++) {
        uint32_t word;
        memcpy(&word, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(block, place)), sizeof word);
        here[kind_of(word)]++;
    }
    for (int kind = 0; kind < KINDS; kind++)
        if (here[kind])
            qemu_plugin_register_vcpu_tb_exec_inline(block, INLINE_ADD_U64, &totals[kind], here[kind]);
}

static void print_at_marks(plugin_id id, unsigned processor, int64_t number, uint64_t file, uint64_t b, uint64_t c,
                           uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
    (void)id, (void)processor, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
    if (number != CLOSE || (int32_t)file > FIRST_MARK)
        return;
    fprintf(stderr, "COUNTED %d", FIRST_MARK - (int32_t)file);
    for (int kind = 0; kind < KINDS; kind++)
        fprintf(stderr, " %s=%llu", NAMES[kind], (unsigned long long)totals[kind]);
    fprintf(stderr, "\n");
}

int qemu_plugin_install(plugin_id id, const void *machine, int count, char **options) {
    (void)machine, (void)count, (void)options;
    qemu_plugin_register_vcpu_tb_trans_cb(id, count_block);
    qemu_plugin_register_vcpu_syscall_cb(id, print_at_marks);
    return 0;
}
