/* Operating systems: those of POSIX, and Windows (by mingw). The only file of the compiler that knows them. */
#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#else
#define _GNU_SOURCE     /* MAP_ANONYMOUS, SIGXFSZ; realpath of X/Open's */
#define _DARWIN_C_SOURCE /* the same on macOS */
#endif
#include "core/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#if defined(_WIN32)
#include <direct.h>
#include <io.h>
#include <process.h>
#include <windows.h>
#else
#include <dirent.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#endif
#if defined(__APPLE__)
#include <mach-o/dyld.h>
#endif

/* What is called at an early end, and of which process: a child that platform_apart() made is another. */
static struct guard {
	void (*tidy)(void *what);
	void *what;
	long process;
#if defined(_WIN32)
	CRITICAL_SECTION held;
#else
	sigset_t before; /* what platform_hold() found */
	int held;
#endif
} guard;

const char *platform_base(const char *path)
{
	const char *base = path;

	for (; *path != '\0'; path++)
		if (platform_separates(*path))
			base = path + 1;
	return base;
}

#if defined(_WIN32)

/* ================================== Windows ================================== */

void platform_begin(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (_get_osfhandle(fd) < 0 && _open("NUL", _O_RDWR) != fd)
			exit(1);
	_setmode(1, _O_BINARY);
}

double platform_seconds(void)
{
	LARGE_INTEGER ticks, each;

	QueryPerformanceCounter(&ticks);
	QueryPerformanceFrequency(&each);
	return (double)ticks.QuadPart / (double)each.QuadPart;
}

long platform_process(void)
{
	return _getpid();
}

bool platform_terminal(void)
{
	return _isatty(2) != 0;
}

const char *platform_program(struct arena *a)
{
	char path[4096];
	const DWORD n = GetModuleFileNameA(NULL, path, sizeof(path));

	return n > 0 && n < sizeof(path) ? arena_strdup(a, path) : NULL;
}

/* A word as the started program takes it apart again. */
static char *quoted(struct arena *a, const char *word)
{
	struct buf b = { 0 };
	size_t slashes = 0;

	buf_puts(&b, "\"");
	for (const char *c = word; *c != '\0'; c++) {
		if (*c == '"')
			for (size_t k = 0; k <= slashes; k++)
				buf_puts(&b, "\\");
		slashes = *c == '\\' ? slashes + 1 : 0;
		buf_add(&b, c, 1);
	}
	for (size_t k = 0; k < slashes; k++)
		buf_puts(&b, "\\");
	buf_puts(&b, "\"");
	char *text = arena_strdup(a, b.data);

	buf_release(&b);
	return text;
}

int platform_become(const char *const *args)
{
	struct arena a = { 0 };
	size_t n = 0;

	while (args[n] != NULL)
		n++;
	const char **words = arena_alloc(&a, (n + 1) * sizeof(*words));

	for (size_t k = 0; k < n; k++)
		words[k] = quoted(&a, args[k]);
	const intptr_t status = _spawnvp(_P_WAIT, args[0], words);

	arena_release(&a);
	return (int)status;
}

/* ---- an early end ---- */

/* In a thread of its own, as Windows does it. */
static BOOL WINAPI on_break(DWORD event)
{
	static const char text[] = "skipc: ended by a signal; nothing was written\n";

	(void)event;
	if (guard.tidy == NULL)
		return FALSE;
	EnterCriticalSection(&guard.held);
	guard.tidy(guard.what);
	if (_write(2, text, sizeof(text) - 1) < 0)
		guard.tidy = NULL;
	_exit(1);
}

static void at_exit(void)
{
	if (guard.tidy != NULL)
		guard.tidy(guard.what);
}

void platform_guard(void (*tidy)(void *what), void *what)
{
	if (guard.process == 0 && tidy != NULL) {
		guard.process = _getpid();
		InitializeCriticalSection(&guard.held);
		atexit(at_exit);
		SetConsoleCtrlHandler(on_break, TRUE);
	}
	guard.what = what;
	guard.tidy = tidy;
}

void platform_hold(void)
{
	if (guard.process != 0)
		EnterCriticalSection(&guard.held);
}

void platform_release(void)
{
	if (guard.process != 0)
		LeaveCriticalSection(&guard.held);
}

/* ---- files and folders ---- */

static enum path_kind kind_of(unsigned mode)
{
	return S_ISREG(mode) ? PATH_FILE : S_ISDIR(mode) ? PATH_FOLDER : PATH_OTHER;
}

enum path_kind platform_kind(const char *path)
{
	struct _stat64 st;

	return _stat64(path, &st) != 0 ? PATH_NONE : kind_of(st.st_mode);
}

enum path_kind platform_link(const char *path)
{
	const DWORD is = GetFileAttributesA(path);

	return is != INVALID_FILE_ATTRIBUTES && (is & FILE_ATTRIBUTE_REPARSE_POINT) != 0
		       ? PATH_OTHER
		       : platform_kind(path);
}

bool platform_runs(const char *path)
{
	return platform_kind(path) == PATH_FILE;
}

/* Shared, for only so can a file that is open be removed. */
FILE *platform_create(const char *path)
{
	const HANDLE h = CreateFileA(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
		CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
	const DWORD error = GetLastError();

	if (h == INVALID_HANDLE_VALUE) {
		errno = error == ERROR_FILE_EXISTS ? EEXIST
			: error == ERROR_PATH_NOT_FOUND ? ENOENT : EACCES;
		return NULL;
	}
	const int fd = _open_osfhandle((intptr_t)h, _O_WRONLY | _O_BINARY);
	FILE *f = fd >= 0 ? _fdopen(fd, "wb") : NULL;

	if (f == NULL) {
		CloseHandle(h);
		DeleteFileA(path);
	}
	return f;
}

bool platform_mkdir(const char *path)
{
	return _mkdir(path) == 0;
}

bool platform_unlink(const char *path)
{
	return _unlink(path) == 0;
}

bool platform_rmdir(const char *path)
{
	return _rmdir(path) == 0;
}

enum path_kind platform_map(const char *path, struct file *f)
{
	const enum path_kind kind = platform_kind(path);
	HANDLE h, mapping = NULL;
	LARGE_INTEGER size;

	f->data = NULL;
	f->size = 0;
	if (kind != PATH_FILE)
		return kind;
	h = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
	if (h == INVALID_HANDLE_VALUE || !GetFileSizeEx(h, &size)) {
		errno = EACCES;
		return PATH_NONE;
	}
	if (size.QuadPart > 0 && (mapping = CreateFileMappingA(h, NULL, PAGE_READONLY, 0, 0, NULL)) != NULL) {
		f->data = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0);
		CloseHandle(mapping);
	}
	f->size = (size_t)size.QuadPart;
	CloseHandle(h);
	errno = ENOMEM;
	return f->size > 0 && f->data == NULL ? PATH_NONE : PATH_FILE;
}

void platform_unmap(struct file *f)
{
	UnmapViewOfFile(f->data);
	f->data = NULL;
}

void platform_list(const char *folder, void (*take)(void *to, const char *name), void *to)
{
	struct arena a = { 0 };
	struct _finddata64i32_t found;
	const intptr_t search = _findfirst64i32(arena_printf(&a, "%s/*", folder), &found);

	arena_release(&a);
	if (search < 0)
		return;
	do
		take(to, found.name);
	while (_findnext64i32(search, &found) == 0);
	_findclose(search);
}

const char *platform_real(struct arena *a, const char *path)
{
	enum { MOST = 32768 };
	char *real = arena_alloc(a, MOST);
	const HANDLE h = CreateFileA(path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
		OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
	const DWORD n = h != INVALID_HANDLE_VALUE ? GetFinalPathNameByHandleA(h, real, MOST, 0) : 0;

	if (h != INVALID_HANDLE_VALUE)
		CloseHandle(h);
	errno = h == INVALID_HANDLE_VALUE ? ENOENT : EACCES;
	if (n == 0 || n >= MOST)
		return NULL;
	/* Behind that, slashes would not separate. */
	return strncmp(real, "\\\\?\\", 4) == 0 && strncmp(real + 4, "UNC\\", 4) != 0 ? real + 4 : real;
}

bool platform_separates(char c)
{
	return c == '/' || c == '\\';
}

/* ---- code that is tried: its calls are not Windows' ---- */

void *platform_fenced(size_t size)
{
	(void)size;
	return NULL;
}

void *platform_code(const unsigned char *code, size_t size)
{
	(void)code;
	(void)size;
	return NULL;
}

int platform_apart(int (*f)(const void *what), const void *what)
{
	(void)f;
	(void)what;
	return APART_NOT;
}

#else

/* =================================== POSIX =================================== */

/* What it may be started with: closed streams, whose numbers would go to the next files that are opened;
 * a limit on file sizes that ends it. */
void platform_begin(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			exit(1);
	signal(SIGXFSZ, SIG_IGN);
}

double platform_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

long platform_process(void)
{
	return (long)getpid();
}

bool platform_terminal(void)
{
	return isatty(2) != 0;
}

const char *platform_program(struct arena *a)
{
#if defined(__APPLE__)
	char path[4096];
	uint32_t size = sizeof(path);

	return _NSGetExecutablePath(path, &size) == 0 ? platform_real(a, path) : NULL;
#elif defined(__FreeBSD__) || defined(__DragonFly__)
	return platform_real(a, "/proc/curproc/file");
#elif defined(__NetBSD__)
	return platform_real(a, "/proc/curproc/exe");
#else
	return platform_real(a, "/proc/self/exe");
#endif
}

int platform_become(const char *const *args)
{
	return execvp(args[0], (char *const *)(uintptr_t)args);
}

/* ---- an early end ---- */

static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2,
	SIGXCPU, SIGBUS };

enum { DEADLY = sizeof(deadly) / sizeof(deadly[0]) };

static void on_signal(int number)
{
	static const char text[] = "skipc: ended by a signal; nothing was written\n";

	if (guard.tidy == NULL || guard.process != getpid()) {
		signal(number, SIG_DFL);
		raise(number);
		return;
	}
	guard.tidy(guard.what);
	guard.tidy = NULL;
	if (write(2, text, sizeof(text) - 1) < 0)
		guard.what = NULL; /* there is nobody to be told */
	signal(number, SIG_DFL);
	raise(number); /* it comes when this returns: a shell that began skipc sees it, and ends its loop by Ctrl-C */
}

static void at_exit(void)
{
	if (guard.tidy != NULL && guard.process == getpid())
		guard.tidy(guard.what);
}

void platform_guard(void (*tidy)(void *what), void *what)
{
	struct sigaction act = { .sa_handler = on_signal }, before;

	guard.what = what;
	guard.tidy = tidy;
	if (guard.process != 0 || tidy == NULL)
		return;
	guard.process = getpid();
	atexit(at_exit);
	sigfillset(&act.sa_mask);
	for (int k = 0; k < DEADLY; k++)
		if (sigaction(deadly[k], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			sigaction(deadly[k], &act, NULL);
}

void platform_hold(void)
{
	sigset_t all;

	sigfillset(&all);
	if (guard.held++ == 0)
		sigprocmask(SIG_SETMASK, &all, &guard.before);
}

void platform_release(void)
{
	if (--guard.held == 0)
		sigprocmask(SIG_SETMASK, &guard.before, NULL);
}

/* ---- files and folders ---- */

static enum path_kind kind_of(mode_t mode)
{
	return S_ISREG(mode) ? PATH_FILE : S_ISDIR(mode) ? PATH_FOLDER : PATH_OTHER;
}

enum path_kind platform_kind(const char *path)
{
	struct stat st;

	return stat(path, &st) != 0 ? PATH_NONE : kind_of(st.st_mode);
}

enum path_kind platform_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) != 0 ? PATH_NONE : kind_of(st.st_mode);
}

bool platform_runs(const char *path)
{
	return access(path, X_OK) == 0;
}

/* Not through a link that waits there, nor into another's file. */
FILE *platform_create(const char *path)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
	FILE *f = fd >= 0 ? fdopen(fd, "wb") : NULL;

	if (fd >= 0 && f == NULL) {
		const int error = errno;

		close(fd);
		unlink(path);
		errno = error;
	}
	return f;
}

bool platform_mkdir(const char *path)
{
	return mkdir(path, 0777) == 0;
}

bool platform_unlink(const char *path)
{
	return unlink(path) == 0;
}

bool platform_rmdir(const char *path)
{
	return rmdir(path) == 0;
}

/* Looked at first, and opened without waiting: a FIFO has no end. */
enum path_kind platform_map(const char *path, struct file *f)
{
	enum path_kind kind = platform_kind(path);
	struct stat st;
	int fd;

	f->data = NULL;
	f->size = 0;
	if (kind != PATH_FILE)
		return kind;
	fd = open(path, O_RDONLY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		kind = PATH_NONE;
	} else if ((kind = kind_of(st.st_mode)) == PATH_FILE && st.st_size > 0) {
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

		f->data = p != MAP_FAILED ? p : NULL;
		f->size = (size_t)st.st_size;
		kind = p != MAP_FAILED ? PATH_FILE : PATH_NONE;
	}
	const int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return kind;
}

void platform_unmap(struct file *f)
{
	munmap((void *)(uintptr_t)f->data, f->size);
	f->data = NULL;
}

void platform_list(const char *folder, void (*take)(void *to, const char *name), void *to)
{
	DIR *d = opendir(folder);

	if (d == NULL)
		return;
	for (const struct dirent *f; (f = readdir(d)) != NULL;)
		take(to, f->d_name);
	closedir(d);
}

const char *platform_real(struct arena *a, const char *path)
{
	char *real = realpath(path, NULL);
	const char *kept = real != NULL ? arena_strdup(a, real) : NULL;

	free(real);
	return kept;
}

bool platform_separates(char c)
{
	return c == '/';
}

/* ---- code that is tried ---- */

void *platform_fenced(size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = (size + page - 1) / page * page;
	unsigned char *map =
		mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map + bytes, page, PROT_NONE) != 0)
		return NULL;
	return map + bytes - size;
}

void *platform_code(const unsigned char *code, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return NULL;
	memcpy(map, code, size);
	return mprotect(map, size, PROT_READ | PROT_EXEC) == 0 ? map : NULL;
}

int platform_apart(int (*f)(const void *what), const void *what)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE };
	const struct rlimit minute = { 60, 60 };
	int status;

	fflush(NULL);
	const pid_t child = fork();

	if (child < 0)
		return APART_NOT;
	if (child == 0) {
		for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
			signal(faults[i], SIG_DFL);
		setrlimit(RLIMIT_CPU, &minute);
		_exit(f(what));
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return APART_NOT;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM ? APART_NOT : APART_FAULT;
}

#endif
