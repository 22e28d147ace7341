"""Lambda: functions, versions, aliases, execution environments."""
