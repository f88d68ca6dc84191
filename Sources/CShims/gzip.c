#include "CShims.h"

#include <isa-l.h>
#include <stdlib.h>
#include <string.h>

struct gw_deflate {
  struct isal_zstream stream;
  struct isal_gzip_header header;
  uint8_t *level_buffer;
};

gw_deflate *gw_deflate_new(int level) {
  static const uint32_t sizes[] = {ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT,
                                   ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT};
  if (level < 0 || level > 3) return NULL;
  gw_deflate *state = calloc(1, sizeof *state);
  if (!state) return NULL;
  isal_deflate_init(&state->stream);
  state->stream.level = (uint32_t)level;
  state->stream.gzip_flag = IGZIP_GZIP;
  if (sizes[level]) {
    state->level_buffer = malloc(sizes[level]);
    if (!state->level_buffer) {
      free(state);
      return NULL;
    }
    state->stream.level_buf = state->level_buffer;
    state->stream.level_buf_size = sizes[level];
  }
  return state;
}

void gw_deflate_free(gw_deflate *state) {
  if (!state) return;
  free(state->level_buffer);
  free(state);
}

int gw_deflate_step(gw_deflate *state, const uint8_t *input, size_t input_count, int finish,
                    uint8_t *output, size_t output_capacity, size_t *consumed, size_t *produced) {
  struct isal_zstream *s = &state->stream;
  s->next_in = (uint8_t *)input;
  s->avail_in = (uint32_t)input_count;
  s->next_out = output;
  s->avail_out = (uint32_t)output_capacity;
  s->end_of_stream = finish ? 1 : 0;
  s->flush = NO_FLUSH;
  int result = isal_deflate(s);
  *consumed = input_count - s->avail_in;
  *produced = output_capacity - s->avail_out;
  if (result != COMP_OK) return result < 0 ? result : -1;
  return finish && s->internal_state.state == ZSTATE_END ? 1 : 0;
}

// Where in a member's header the input stands. ISA-L's own reading of headers is not used: it takes one that
// has a name and arrives in two pieces for a broken one.
enum part { FIXED, EXTRA_LENGTH, EXTRA, NAME, COMMENT, CHECKSUM, BODY };
enum flag { HAS_CHECKSUM = 2, HAS_EXTRA = 4, HAS_NAME = 8, HAS_COMMENT = 16, RESERVED = 0xE0 };

struct gw_inflate {
  struct inflate_state stream;
  enum part part;
  // Bytes of the part that were read.
  uint32_t count;
  uint8_t flags;
  uint16_t said;
  uint32_t crc;
};

static void begin_member(gw_inflate *state) {
  isal_inflate_reset(&state->stream);
  state->stream.crc_flag = ISAL_GZIP_NO_HDR_VER;
  state->part = FIXED;
  state->count = 0;
  state->crc = 0;
}

gw_inflate *gw_inflate_new(void) {
  gw_inflate *state = calloc(1, sizeof *state);
  if (!state) return NULL;
  isal_inflate_init(&state->stream);
  begin_member(state);
  return state;
}

void gw_inflate_free(gw_inflate *state) { free(state); }

// The first part behind the given one that the flags say is there.
static enum part part_behind(enum part part, uint8_t flags) {
  if (part < EXTRA_LENGTH && flags & HAS_EXTRA) return EXTRA_LENGTH;
  if (part < NAME && flags & HAS_NAME) return NAME;
  if (part < COMMENT && flags & HAS_COMMENT) return COMMENT;
  if (part < CHECKSUM && flags & HAS_CHECKSUM) return CHECKSUM;
  return BODY;
}

// Takes one byte of a header (RFC 1952); -1 when it can't stand there.
static int header_byte(gw_inflate *s, uint8_t byte) {
  if (s->part != CHECKSUM) s->crc = crc32_gzip_refl(s->crc, &byte, 1);
  uint32_t at = s->count++;
  int done = 0;
  switch (s->part) {
    case FIXED:
      if ((at == 0 && byte != 0x1F) || (at == 1 && byte != 0x8B) || (at == 2 && byte != 8)) return -1;
      if (at == 3) s->flags = byte;
      if (at == 3 && byte & RESERVED) return -1;
      done = at == 9;
      break;
    case EXTRA_LENGTH:
      s->said = at == 0 ? byte : (uint16_t)(s->said | byte << 8);
      if (at == 1) {
        s->part = EXTRA;
        s->count = 0;
        done = s->said == 0;
      }
      break;
    case EXTRA: done = s->count == s->said; break;
    case NAME:
    case COMMENT: done = byte == 0; break;
    case CHECKSUM:
      if (byte != (s->crc >> 8 * at & 0xFF)) return -1;
      done = at == 1;
      break;
    case BODY: break;
  }
  if (done) {
    s->part = part_behind(s->part, s->flags);
    s->count = 0;
  }
  return 0;
}

int gw_inflate_step(gw_inflate *state, const uint8_t *input, size_t input_count,
                    uint8_t *output, size_t output_capacity, size_t *consumed, size_t *produced) {
  size_t taken = 0;
  *consumed = *produced = 0;
  while (state->part != BODY) {
    if (taken == input_count) {
      *consumed = taken;
      return 0;
    }
    if (header_byte(state, input[taken++]) != 0) return -1;
  }
  struct inflate_state *s = &state->stream;
  s->next_in = (uint8_t *)input + taken;
  s->avail_in = (uint32_t)(input_count - taken);
  s->next_out = output;
  s->avail_out = (uint32_t)output_capacity;
  int result = isal_inflate(s);
  *consumed = input_count - s->avail_in;
  *produced = output_capacity - s->avail_out;
  if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT && result != ISAL_OUT_OVERFLOW)
    return result < 0 ? result : -1;
  if (s->block_state == ISAL_BLOCK_FINISH) {
    begin_member(state);
    return 1;
  }
  return 0;
}

// ISA-L leaves the inversion at both ends to its caller.
uint32_t gw_crc32c(const void *bytes, size_t count, uint32_t before) {
  const unsigned char *at = bytes;
  uint32_t crc = ~before;
  while (count > 0) {
    int some = count > (1 << 30) ? 1 << 30 : (int)count;
    crc = crc32_iscsi((unsigned char *)at, some, crc);
    at += some;
    count -= (size_t)some;
  }
  return ~crc;
}
