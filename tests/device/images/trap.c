/* What an image looks like that breaks the rules. */
#include <stdlib.h>

double trap(double x, void** block);

double trap(double x, void** block) {
  *block = malloc(8);
  return x * x;
}
