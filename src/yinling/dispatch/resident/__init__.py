"""The resident ranking: a process that holds the days of all carers in memory and answers where an order fits best.

It is built from the database when it starts and follows the journal: what was committed after the snapshot seen last is read anew. Notices
only wake it, so a lost one delays by seconds and no more. Once in a while the totals are compared with the database. It holds numbers,
times and places, no name of an elder. Whatever goes wrong ends the process; it is started again, and meanwhile the pages read the database.

``python -m yinling.dispatch.resident [--area DIV] [--socket PATH]``
"""
