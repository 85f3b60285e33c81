// The floor that the plugin is measured against: the same call, made with no
// start-up code, no library and no care for anything that could go wrong. It
// checks no input, decodes no header and believes every length.
//
//   floor SOCKET PACKAGE...     walks the packages as the plugin walks its list
//   floor                       does nothing
//
// Linux on x86_64; built with -ffreestanding -nostdlib -static.

typedef unsigned char u8;
typedef unsigned long size;

static long call(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

enum { READ = 0, WRITE = 1, SOCKET = 41, CONNECT = 42, EXIT = 231 };

static void leave(int status) {
    for (;;) call(EXIT, status, 0, 0);
}

static size length(const char *text) {
    size n = 0;
    while (text[n]) n++;
    return n;
}

static u8 *copy(u8 *to, const void *from, size n) {
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    return to;
}

static u8 *number(u8 *to, size value) {
    for (; value > 127; value >>= 7) *to++ = value | 128;
    *to++ = value;
    return to;
}

static size number_size(size value) {
    size n = 1;
    for (; value > 127; value >>= 7) n++;
    return n;
}

static u8 *field(u8 *to, int tag, const void *bytes, size n) {
    if (n == 0) return to;
    *to++ = tag << 3 | 2;
    return copy(number(to, n), bytes, n);
}

static u8 *frame(u8 *to, size n, int kind, int flags, int stream) {
    u8 head[9] = {n >> 16, n >> 8, n, kind, flags, 0, 0, 0, stream};
    return copy(to, head, 9);
}

// A header field that is not in any table (RFC 7541, 6.2.2).
static u8 *header(u8 *to, const char *name, const char *value) {
    *to++ = 0;
    *to++ = length(name);
    to = copy(to, name, length(name));
    *to++ = length(value);
    return copy(to, value, length(value));
}

static u8 stdin_data[16384], message[20480], out[24576], in[32768];

static const char *variable(char **environment, const char *name) {
    size n = length(name);
    for (; *environment; environment++) {
        size i = 0;
        while (i < n && (*environment)[i] == name[i]) i++;
        if (i == n && (*environment)[i] == '=') return *environment + n + 1;
    }
    return "";
}

static u8 *request(u8 *to, const char *package, const char *method, int stream, size bytes) {
    u8 *at = to + 9, path[256], *end = path;
    *end++ = '/';
    end = copy(end, package, length(package));
    end = copy(end, ".Cni/Cmd", 8);
    end = copy(end, method, length(method) + 1);
    *at++ = 0x83;  // :method POST
    *at++ = 0x86;  // :scheme http
    at = header(at, ":path", (char *)path);
    at = header(at, ":authority", "localhost");
    at = header(at, "te", "trailers");
    at = header(at, "content-type", "application/grpc");
    at = header(at, "grpc-timeout", "90S");
    frame(to, at - to - 9, 1, 4, stream);
    at = frame(at, bytes, 0, 1, stream);
    return copy(at, message, bytes);
}

static void send(long socket, const u8 *bytes, size n) {
    if (call(WRITE, socket, (long)bytes, n) != (long)n) leave(1);
}

__attribute__((used)) static void run(long *stack) {
    char **arguments = (char **)(stack + 1), **environment = arguments + *stack + 1;
    if (*stack < 3) leave(0);

    size n = 0;
    for (long got; (got = call(READ, 0, (long)stdin_data + n, sizeof stdin_data - n)) > 0;) n += got;

    static const char *names[] = {"CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH"};
    const char *values[5];
    size args = 1 + number_size(n) + n;
    for (int i = 0; i < 5; i++) {
        values[i] = variable(environment, names[i]);
        size bytes = length(values[i]);
        if (bytes) args += 1 + number_size(bytes) + bytes;
    }
    size whole = 1 + number_size(args) + args;
    u8 prefix[5] = {0, whole >> 24, whole >> 16, whole >> 8, whole};
    u8 *at = copy(message, prefix, 5);
    *at++ = 1 << 3 | 2;
    at = number(at, args);
    for (int i = 0; i < 5; i++) at = field(at, i + 1, values[i], length(values[i]));
    at = field(at, 6, stdin_data, n);
    size bytes = at - message;

    const char *command = variable(environment, "CNI_COMMAND");
    const char *method = *command == 'A' ? "Add" : *command == 'D' ? "Del" : "Status";
    struct {
        unsigned short family;
        char path[108];
    } address = {1, {0}};
    copy((u8 *)address.path, arguments[1], length(arguments[1]));
    long socket = call(SOCKET, 1, 1, 0);
    if (call(CONNECT, socket, (long)&address, sizeof address) != 0) leave(1);

    u8 *to = copy(out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    to = frame(to, 0, 4, 0, 0);
    int stream = 1, package = 2, answered = 0;
    to = request(to, arguments[package], method, stream, bytes);
    send(socket, out, to - out);

    for (size got = 0, used = 0;;) {
        while (got - used >= 9) {
            u8 *head = in + used;
            size size_ = head[0] << 16 | head[1] << 8 | head[2];
            if (got - used < 9 + size_) break;
            used += 9 + size_;
            if (head[3] == 4 && !(head[4] & 1)) {
                u8 acknowledged[9];
                frame(acknowledged, 0, 4, 1, 0);
                send(socket, acknowledged, 9);
            }
            if (head[8] != stream) continue;
            if (head[3] == 0 && size_ > 5) {
                u8 *reply = head + 14;
                if (*reply != (1 << 3 | 2)) leave(1);
                size result = 0;
                int shift = 0;
                do result |= (size)(*++reply & 127) << shift, shift += 7;
                while (*reply & 128);
                if (call(WRITE, 1, (long)(reply + 1), result) != (long)result) leave(1);
                answered = 1;
            } else if (head[3] == 0) {
                answered = 1;
            }
            if (head[4] & 1) {
                if (answered) leave(0);
                // No message: the agent does not have it.
                if (!arguments[++package]) leave(1);
                stream += 2;
                to = request(out, arguments[package], method, stream, bytes);
                send(socket, out, to - out);
            }
        }
        if (used == got) used = got = 0;
        long more = call(READ, socket, (long)in + got, sizeof in - got);
        if (more <= 0) leave(1);
        got += more;
    }
}

__asm__(".globl _start\n_start:\n mov %rsp, %rdi\n and $-16, %rsp\n call run\n");
