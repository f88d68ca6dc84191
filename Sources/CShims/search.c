// Searches: some of the C library that Swift's import of it leaves out, since they are behind _GNU_SOURCE.
#include "CShims.h"

#include <string.h>

#if defined(__SSE2__)

// Whether and where the part begins at one of sixteen places: they are looked at together for its first and its last byte.
static inline const uint8_t *find_at_16(const uint8_t *at, const uint8_t *part, size_t length, __m128i first, __m128i last) {
  __m128i starts = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)at), first);
  __m128i ends = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(at + length - 1)), last);
  unsigned found = (unsigned)_mm_movemask_epi8(_mm_and_si128(starts, ends));
  for (; found; found &= found - 1) {
    const uint8_t *place = at + __builtin_ctz(found);
    if (memcmp(place + 1, part + 1, length - 2) == 0) return place;
  }
  return NULL;
}

#endif

// The C library's prepares a table for each call, which takes longer than to look through a line (the idea: Wojciech Mula, "SIMD-friendly
// algorithms for substring searching"). Only its own is linear whatever the bytes, so long parts are left to it.
const void *gw_find(const void *text, size_t length, const void *part, size_t part_length) {
#if defined(__SSE2__)
  if (part_length > 1 && part_length <= 64 && length >= part_length + 15) {
    const uint8_t *at = text, *wanted = part;
    const uint8_t *end = at + (length - part_length + 1), *last_16 = end - 16;
    __m128i first = _mm_set1_epi8((char)wanted[0]), last = _mm_set1_epi8((char)wanted[part_length - 1]);
    for (; at < last_16; at += 16) {
      const uint8_t *found = find_at_16(at, wanted, part_length, first, last);
      if (found) return found;
    }
    // Some of these were looked at already.
    return find_at_16(last_16, wanted, part_length, first, last);
  }
#endif
  return memmem(text, length, part, part_length);
}

const void *gw_find_last(const void *text, uint8_t byte, size_t length) {
  return memrchr(text, byte, length);
}

size_t gw_count(const uint8_t *text, size_t length, uint8_t byte) {
  enum { lanes = 32 };
  size_t count = 0;
  while (length >= lanes) {
    // A lane counts to 255; the compiler makes one or two vectors of them all.
    size_t rounds = length / lanes < 255 ? length / lanes : 255;
    uint8_t found[lanes] = {0};
    for (size_t round = 0; round < rounds; round++, text += lanes)
      for (int lane = 0; lane < lanes; lane++) found[lane] += text[lane] == byte;
    for (int lane = 0; lane < lanes; lane++) count += found[lane];
    length -= rounds * lanes;
  }
  for (size_t i = 0; i < length; i++) count += text[i] == byte;
  return count;
}
