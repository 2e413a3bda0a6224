"""More work for more money (rule M7): asked for, offered, agreed, paid; then it is in force."""
