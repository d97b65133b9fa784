/* screen_io.c - see screen_io.h. The escape sequences are those of ECMA-48 and, for the other screen, of xterm, which
 * all terminals of today have. */
#include "screen_io.h"
#include "whole_file.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l" /* other screen, no cursor */
#define LEAVE "\033[0m\033[?25h\033[?1049l"

static struct termios before;
static volatile sig_atomic_t entered, keys_changed;

bool screen_possible(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

/* Also from a signal handler: it calls only what may be called there. */
void screen_leave(void)
{
    int saved = errno;

    if (entered) {
        entered = 0;
        (void)whole_file_write(STDOUT_FILENO, LEAVE, sizeof(LEAVE) - 1);
    }
    if (keys_changed) {
        keys_changed = 0;
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
    }
    errno = saved;
}

static void on_crash(int number)
{
    screen_leave();
    (void)raise(number); /* its own action again, by SA_RESETHAND */
}

static void guard(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    static bool guarded;
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};

    if (guarded)
        return;
    guarded = true;
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
        (void)sigaction(crashes[i], &action, NULL);
    (void)atexit(screen_leave);
}

void screen_enter(void)
{
    struct termios keys;

    guard();
    if (!keys_changed && tcgetattr(STDIN_FILENO, &before) == 0) {
        keys = before;
        keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        keys.c_cc[VMIN] = 1;
        keys.c_cc[VTIME] = 0;
        keys_changed = 1;
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &keys);
    }
    entered = 1;
    (void)whole_file_write(STDOUT_FILENO, ENTER, sizeof(ENTER) - 1);
}

void screen_size(size_t *width, size_t *height)
{
    struct winsize size = {0};
    bool told = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;

    *width = told ? size.ws_col : 80;
    *height = told ? size.ws_row : 24;
}

/* The last line has no line feed, which would move all up. */
int screen_draw(const struct buf *lines)
{
    const char *at = buf_text(lines), *end = at + lines->len;
    struct buf out;
    int rc = -1;

    buf_init(&out, 10 * lines->len + 100);
    buf_str(&out, "\033[H");
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        stop = stop == NULL ? end : stop;
        buf_add(&out, at, (size_t)(stop - at));
        buf_str(&out, stop + 1 < end ? "\033[K\r\n" : "\033[K");
        at = stop + 1;
    }
    buf_str(&out, "\033[J");
    if (buf_ok(&out))
        rc = whole_file_write(STDOUT_FILENO, out.data, out.len);
    buf_clear(&out);
    return rc;
}
