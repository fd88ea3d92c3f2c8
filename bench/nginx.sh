# A stand-in for the provider: nginx in one process, which answers every ID with an order that ties out.
# shellcheck shell=bash

# Unlimited rate, no log.
serve_nginx() { # PORT
    start_nginx "$1" "access_log off;" "$(reply)"
}

# Unlimited rate; ACCESS_LOG gets the time of each request, in seconds with milliseconds.
serve_logged_nginx() { # PORT ACCESS_LOG
    start_nginx "$1" "log_format arrivals '\$msec'; access_log $2 arrivals;" "$(reply)"
}

# With the provider's limit: RATE requests per second for each key and a burst of 10; further requests get 429.
# ACCESS_LOG gets the time (in seconds with milliseconds) and the status of each request.
serve_limited_nginx() { # PORT RATE ACCESS_LOG
    start_nginx "$1" "
        log_format arrivals '\$msec \$status';
        access_log $3 arrivals;
        limit_req_zone \$http_authorization zone=keys:1m rate=$2r/s;
        limit_req_status 429;
        limit_req_log_level info;" "
            limit_req zone=keys burst=10 nodelay;
            # A return here would be executed before the limit applies.
            try_files /nothing @order;
        }
        location @order {
            $(reply)"
}

start_nginx() { # PORT HTTP_DIRECTIVES LOCATION_DIRECTIVES
    local folder=$WORK/nginx-$1
    mkdir "$folder"
    cat >"$folder/nginx.conf" <<END
daemon off;
master_process off;
pid $folder/nginx.pid;
error_log $folder/nginx.log warn;
events { worker_connections 1024; }
http {
    # By default, nginx closes each connection after 1,000 requests.
    keepalive_requests 1000000000;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    $2
    server {
        listen 127.0.0.1:$1;
        root $folder;
        location = /api/open/v2/workflow/run/info {
            $3
        }
    }
}
END
    serve "$1" nginx -p "$folder" -e "$folder/nginx.log" -c "$folder/nginx.conf"
}

# The reply for any ID: a settled order that ties out.
reply() {
    echo 'default_type application/json;'
    printf "return 200 '"
    printf '{"code":0,"msg":"ok","data":{"run_order_id":"%s",' "\$arg_run_order_id"
    printf '"workflow_id":"wf_861ef31e94dcfb10e6e7","revision_id":"wfr_f9f2a2dcb99d73b0c3aa",'
    printf '"quote_amount":"0.03000000","quote_currency":"CNY","freeze_status":"released",'
    printf '"submission_status":"submitted","run_status":"succeeded","settlement_status":"settled",'
    printf '"task_id":"","prompt_id":"","inputs":{},"outputs":{},"error_code":"","error_message":"",'
    printf '"compute_cost":"0.00028780","external_model_cost":"0.00000000","total_cost":"0.00028780",'
    printf '"final_amount":"0.00028780","released_amount":"0.02971220",'
    printf '"created_at":"2026-05-08T10:00:00Z","updated_at":"2026-05-08T10:01:00Z"}}'
    printf "';\n"
}
