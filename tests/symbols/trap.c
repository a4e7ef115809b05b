/* What a core that allocates would look like to nm. */
#include <stdlib.h>

void* trap(size_t n);

void* trap(size_t n) {
  return malloc(n);
}
