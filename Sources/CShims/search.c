// Searches of the C library that Swift's import of it leaves out: they are behind _GNU_SOURCE.
#include "CShims.h"

#include <string.h>

const void *gw_find(const void *text, size_t length, const void *part, size_t part_length) {
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
