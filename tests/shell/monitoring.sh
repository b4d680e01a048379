#!/bin/sh
# The alert rules and the dashboard: promtool takes the rules and each alert
# fires when it should, and every metric that they use is one of a real vault
# and in the manual.
. "$(dirname "$0")/../suite_tools.sh"
show_output=
rules=$top/tools/monitoring/trailfs.rules.yml
dashboard=$top/tools/monitoring/trailfs-dashboard.json
fired=$top/tests/monitoring/trailfs.rules.test.yml

# promtool parses the rules, and runs the tests of all alerts.
promtool_takes_the_rules() {
	is 0 promtool check rules "$rules"
	is 0 promtool test rules "$fired"
}

# names FILE...: the metrics that are used there.
names() {
	grep -oh 'trailfs_[a-z_]*[a-z]' "$@" | sort -u
}

# No alert is without a test.
each_alert_has_a_test() {
	sed -n 's/^ *- alert: //p' "$rules" | sort >alerts
	[ "$(wc -l <alerts)" -gt 15 ]
	grep -o 'alertname="[A-Za-z]*' "$fired" | cut -d '"' -f 2 |
		sort -u >tested
	diff alerts tested
}

# A vault that has everything there is a metric for.
a_vault_gives_metrics() {
	a_store_is_made
	printf 'max_store = 1G\nguard = %s/guard\n' "$work" >>store/config
	mount store
	mkdir -p mnt/t/w/a
	head -c 70000 /dev/urandom >mnt/t/w/a/f
	is 0 trailctl sync mnt
	is 0 trailctl mirror mnt copy
	is 0 trailctl verify --rebuild --record --textfile verify.prom mnt
	is 0 trailctl backup mnt saved
	# A forwarder that had a success, and was refused.
	is 0 trailctl org init --origin example.org/organisation --keys orgkeys \
		dir:org
	is 0 trailctl org enrol dir:org "$(cat store/keys/log.vkey)"
	is 0 trailctl forward --once mnt dir:org
	is 0 trailctl org revoke dir:org "$(head -n 1 store/checkpoint)"
	is 1 trailctl forward --once mnt dir:org
	# A verification that failed, too.
	flip "$(find store/objects -type f)" 9
	is 4 trailctl verify --rebuild --record mnt
	is 0 trailctl metrics mnt
	cat out verify.prom >all
	unmount
	# One whose closes wait for the organisation.
	trailctl init waiting >/dev/null 2>&1
	mount waiting -o durability=org
	trailctl metrics mnt | grep trailfs_org >>all
	unmount
	# One whose kernel collects writes.
	mount waiting -o streams=on
	trailctl metrics mnt | grep trailfs_collecting >>all
	unmount
	# A mount of the organisation.
	mkdir view
	timeout 60 trailfs dir:org view -o ro,cache=cache
	is 0 trailctl metrics view
	umount view
	cat out >>all
	sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' all | sort -u >families
	sed -n 's/^\(trailfs_[a-z_]*\){.*/\1/p' all | sort -u >samples
}

# What no vault gives would never alert anybody.
every_metric_that_is_used_exists() {
	names "$rules" "$dashboard" >used
	[ "$(wc -l <used)" -gt 25 ]
	comm -23 used samples >unknown
	[ ! -s unknown ] || {
		cat unknown
		exit 1
	}
	# The samples of the tests of the rules have these names, too.
	names "$fired" | grep -v '^trailfs_rules' | comm -23 - samples >unknown
	diff /dev/null unknown
}

# The manual has each metric, and no other.
the_manual_has_each_metric() {
	names "$top"/man/*.8 "$top"/man/trailctl-*.1 |
		grep -v '^trailfs_stage_room$' >described
	diff families described
}

# Each panel shows the vault and the data source that the reader chose.
the_dashboard_is_whole() {
	python3 - "$dashboard" <<-'EOF'
	import json, sys
	d = json.load(open(sys.argv[1]))
	assert {v['name'] for v in d['templating']['list']} == \
	    {'datasource', 'origin'}
	ids = [p['id'] for p in d['panels']]
	assert len(ids) > 10 and len(set(ids)) == len(ids)
	places = set()
	for p in d['panels']:
	    g = p['gridPos']
	    for x in range(g['x'], g['x'] + g['w']):
	        for y in range(g['y'], g['y'] + g['h']):
	            assert x < 24 and (x, y) not in places, p['title']
	            places.add((x, y))
	    assert p['datasource']['uid'] == '${datasource}', p['title']
	    for t in p['targets']:
	        assert 'origin=~"$origin"' in t['expr'], t['expr']
	        assert t['expr'].count('(') == t['expr'].count(')'), t['expr']
	EOF
}

# Prometheus parses the expressions of the dashboard.
promtool_takes_the_dashboard() {
	python3 - "$dashboard" >expressions.yml <<-'EOF'
	import json, sys
	print('groups: [{name: x, rules: [')
	for p in json.load(open(sys.argv[1]))['panels']:
	    for t in p['targets']:
	        print('{record: "x:%d%s", expr: %s},' %
	            (p['id'], t['refId'], json.dumps(t['expr'])))
	print(']}]')
	EOF
	is 0 promtool check rules expressions.yml
}

with promtool promtool_takes_the_rules
run each_alert_has_a_test a_vault_gives_metrics \
	every_metric_that_is_used_exists the_manual_has_each_metric
with python3 the_dashboard_is_whole
with 'promtool python3' promtool_takes_the_dashboard
finish
