/* model_epoll_posix.c - epoll is Linux's own; poll is the portable way. Twin:
 * model_epoll_linux.c. */
#include "model.h"

const struct model model_epoll = {"epoll", "not on this system", NULL};
