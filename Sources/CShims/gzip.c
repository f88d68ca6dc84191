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

struct gw_inflate {
  struct inflate_state stream;
};

gw_inflate *gw_inflate_new(void) {
  gw_inflate *state = calloc(1, sizeof *state);
  if (!state) return NULL;
  isal_inflate_init(&state->stream);
  state->stream.crc_flag = ISAL_GZIP;
  return state;
}

void gw_inflate_free(gw_inflate *state) { free(state); }

int gw_inflate_step(gw_inflate *state, const uint8_t *input, size_t input_count,
                    uint8_t *output, size_t output_capacity, size_t *consumed, size_t *produced) {
  struct inflate_state *s = &state->stream;
  s->next_in = (uint8_t *)input;
  s->avail_in = (uint32_t)input_count;
  s->next_out = output;
  s->avail_out = (uint32_t)output_capacity;
  int result = isal_inflate(s);
  *consumed = input_count - s->avail_in;
  *produced = output_capacity - s->avail_out;
  if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT && result != ISAL_OUT_OVERFLOW)
    return result < 0 ? result : -1;
  if (s->block_state == ISAL_BLOCK_FINISH) {
    isal_inflate_reset(s);
    s->crc_flag = ISAL_GZIP;
    return 1;
  }
  return 0;
}
