// Linked into sanitizer builds that use MPI: its plugins stay mapped to the end, so that the leak report can name them
// and lsan.supp can match the names.
extern "C" int dlclose(void*);

int dlclose(void*) {
  return 0;
}
