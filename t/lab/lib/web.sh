# web.sh - nginx: the policy hosts mta-sts.DOMAIN, told apart by the TLS name asked for
# shellcheck shell=bash

# web_site NAME CERTIFICATE LINE…: a server for NAME; the lines are its nginx directives
web_site() {
    local name=$1 cert=$2
    shift 2
    {
        printf 'server {\n    listen 443 ssl;\n    listen [::]:443 ssl;\n    server_name %s;\n' "$name"
        printf '    ssl_certificate %s;\n    ssl_certificate_key %s;\n' "$cert" "$cert"
        printf '    %s\n' "$@" '}'
    } >"$LAB/web/sites/$name.conf"
}

# web_drip SECONDS TEXT: nginx directives for a host that sends this text octet by octet, with a wait after each
web_drip() {
    local i line
    echo 'location / {'
    while IFS= read -r line; do
        for ((i = 0; i < ${#line}; i++)); do
            echo "echo -n '${line:i:1}'; echo_flush; echo_sleep $1;"
        done
        echo 'echo;'
    done <<<"${2%$'\n'}"
    echo '}'
}

web_start() {
    nginx_conf >"$LAB/web/nginx.conf"
    daemon nginx web "exec 3<>/dev/tcp/$WEB_ADDR/443" \
        nginx -e "$LAB/log/nginx.log" -c "$LAB/web/nginx.conf"
}

nginx_conf() {
    cat <<END
daemon off;
worker_processes 1;
pid $LAB/web/nginx.pid;
load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
events {}
http {
    log_format lab '\$time_iso8601 \$remote_addr sni=\$ssl_server_name \$host "\$request" \$status "\$http_user_agent"';
    access_log $LAB/log/web.log lab;
    client_body_temp_path $LAB/web/body;
    proxy_temp_path $LAB/web/proxy;
    fastcgi_temp_path $LAB/web/fastcgi;
    scgi_temp_path $LAB/web/scgi;
    uwsgi_temp_path $LAB/web/uwsgi;
    default_type text/plain;
    server {
        listen 443 ssl default_server;
        listen [::]:443 ssl default_server;
        ssl_reject_handshake on;
    }
    include $LAB/web/sites/*.conf;
}
END
}
