// Compiles, and includes what a core header must not.
#pragma once
#include <vector>
