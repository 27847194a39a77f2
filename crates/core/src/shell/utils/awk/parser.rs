//! The grammar of `awk` (XCU, awk, "Grammar").

use bstr::BString;

use super::lexer::{Lexer, Token};
use super::{Expression, Operator, Pattern, Rule, Statement};

/// Deeper nesting than any program has.
const MAX_DEPTH: u32 = 60;

type Parsed<T> = Result<T, BString>;

/// The rules of a program and how many of them are ranges; the error names what is not understood.
pub(super) fn parse(program: &[u8]) -> Parsed<(Vec<Rule>, usize)> {
    let mut lexer = Lexer::new(program);
    let token = lexer.next()?;
    let mut parser = Parser { lexer, token, depth: 0, ranges: 0, no_in: false, no_greater: false };
    let mut rules = Vec::new();
    parser.skip_ends()?;
    while parser.token != Token::End {
        rules.push(parser.rule()?);
        parser.skip_ends()?;
    }
    Ok((rules, parser.ranges))
}

struct Parser<'p> {
    lexer: Lexer<'p>,
    token: Token,
    depth: u32,
    ranges: usize,
    no_in: bool,
    /// In the operands of `print`, `>` would redirect.
    no_greater: bool,
}

impl Parser<'_> {
    fn advance(&mut self) -> Parsed<Token> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn bad<T>(&self) -> Parsed<T> {
        Err(format!("{:?}", self.token).into())
    }

    fn at(&self, symbol: &str) -> bool {
        matches!(self.token, Token::Symbol(found) if found == symbol)
    }

    fn at_word(&self, word: &str) -> bool {
        matches!(&self.token, Token::Name(name) | Token::Function(name) if name == word)
    }

    fn eat(&mut self, symbol: &str) -> Parsed<bool> {
        let found = self.at(symbol);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.eat(symbol)? { Ok(()) } else { self.bad() }
    }

    fn skip_newlines(&mut self) -> Parsed<()> {
        while self.token == Token::Newline {
            self.advance()?;
        }
        Ok(())
    }

    fn skip_ends(&mut self) -> Parsed<()> {
        while self.token == Token::Newline || self.at(";") {
            self.advance()?;
        }
        Ok(())
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("nesting this deep".into());
        }
        let parsed = stacker::maybe_grow(128 << 10, 1 << 20, || parse(self));
        self.depth -= 1;
        parsed
    }

    fn rule(&mut self) -> Parsed<Rule> {
        let pattern = if self.at("{") {
            Pattern::Always
        } else if self.at_word("BEGIN") || self.at_word("END") {
            let begins = self.at_word("BEGIN");
            self.advance()?;
            if begins { Pattern::Begin } else { Pattern::End }
        } else if self.at_word("function") || self.at_word("func") {
            return Err("function".into());
        } else {
            let first = self.expression()?;
            if self.eat(",")? {
                self.ranges += 1;
                Pattern::Range(first, self.expression()?, self.ranges - 1)
            } else {
                Pattern::When(first)
            }
        };
        let action = if self.at("{") { self.block()? } else { vec![Statement::Print(Vec::new())] };
        Ok(Rule { pattern, action })
    }

    fn block(&mut self) -> Parsed<Vec<Statement>> {
        self.expect("{")?;
        let mut statements = Vec::new();
        self.skip_ends()?;
        while !self.at("}") {
            self.deeper(|parser| parser.statement(&mut statements))?;
            self.skip_ends()?;
        }
        self.advance()?;
        Ok(statements)
    }

    /// One statement or a block, as the body of `if` and loops.
    fn body(&mut self) -> Parsed<Vec<Statement>> {
        self.skip_newlines()?;
        let mut statements = Vec::new();
        if self.eat(";")? {
            return Ok(statements);
        }
        self.deeper(|parser| parser.statement(&mut statements))?;
        Ok(statements)
    }

    fn statement(&mut self, statements: &mut Vec<Statement>) -> Parsed<()> {
        if self.at("{") {
            statements.extend(self.block()?);
            return Ok(());
        }
        let word = match &self.token {
            Token::Name(name) | Token::Function(name) => name.clone(),
            _ => String::new(),
        };
        let statement = match word.as_str() {
            "if" => self.if_statement()?,
            "while" => {
                self.advance()?;
                self.expect("(")?;
                let condition = self.expression()?;
                self.expect(")")?;
                Statement::While(condition, self.body()?)
            }
            "for" => self.for_statement()?,
            "next" | "break" | "continue" => {
                self.advance()?;
                match word.as_str() {
                    "next" => Statement::Next,
                    "break" => Statement::Break,
                    _ => Statement::Continue,
                }
            }
            "exit" => {
                self.advance()?;
                let ends = self.token == Token::Newline || self.at(";") || self.at("}") || self.token == Token::End;
                Statement::Exit(if ends { None } else { Some(self.expression()?) })
            }
            "getline" | "return" | "do" | "system" | "close" => return Err(word.into()),
            _ => self.simple()?,
        };
        statements.push(statement);
        Ok(())
    }

    fn if_statement(&mut self) -> Parsed<Statement> {
        self.advance()?;
        self.expect("(")?;
        let condition = self.expression()?;
        self.expect(")")?;
        let then = self.body()?;
        self.skip_ends()?;
        let otherwise = if self.at_word("else") {
            self.advance()?;
            self.body()?
        } else {
            Vec::new()
        };
        Ok(Statement::If(condition, then, otherwise))
    }

    fn for_statement(&mut self) -> Parsed<Statement> {
        self.advance()?;
        self.expect("(")?;
        let first = if self.at(";") {
            None
        } else {
            self.no_in = true;
            let first = self.expression();
            self.no_in = false;
            Some(first?)
        };
        if self.at_word("in") {
            let Some(Expression::Variable(variable)) = first else { return self.bad() };
            self.advance()?;
            let Token::Name(array) = self.advance()? else { return self.bad() };
            self.expect(")")?;
            return Ok(Statement::ForIn(variable, array, self.body()?));
        }
        self.expect(";")?;
        let condition = if self.at(";") { None } else { Some(self.expression()?) };
        self.expect(";")?;
        let step = if self.at(")") { None } else { Some(self.expression()?) };
        self.expect(")")?;
        Ok(Statement::For(first, condition, step, self.body()?))
    }

    fn simple(&mut self) -> Parsed<Statement> {
        if self.at_word("print") || self.at_word("printf") {
            let formats = self.at_word("printf");
            self.advance()?;
            self.no_greater = true;
            let list = self.print_list();
            self.no_greater = false;
            let list = list?;
            if [">", ">>", "|"].iter().any(|symbol| self.at(symbol)) {
                return Err("output to a file or command".into());
            }
            return Ok(if formats { Statement::Printf(list) } else { Statement::Print(list) });
        }
        if self.at_word("delete") {
            self.advance()?;
            let (Token::Name(name) | Token::Function(name)) = self.advance()? else { return self.bad() };
            let index = if self.eat("[")? {
                let list = self.list()?;
                self.expect("]")?;
                Some(list)
            } else {
                None
            };
            return Ok(Statement::Delete(name, index));
        }
        Ok(Statement::Expression(self.expression()?))
    }

    fn print_list(&mut self) -> Parsed<Vec<Expression>> {
        if self.token == Token::Newline || self.token == Token::End || self.at(";") || self.at("}") {
            return Ok(Vec::new());
        }
        let mut list = vec![self.expression()?];
        // `print (a, b)` has its list in parentheses.
        if let [Expression::In(_, name)] = list.as_slice()
            && name.is_empty()
            && let Some(Expression::In(grouped, _)) = list.pop()
        {
            return Ok(grouped);
        }
        while self.eat(",")? {
            self.skip_newlines()?;
            list.push(self.expression()?);
        }
        Ok(list)
    }

    fn list(&mut self) -> Parsed<Vec<Expression>> {
        let mut list = vec![self.expression()?];
        while self.eat(",")? {
            self.skip_newlines()?;
            list.push(self.expression()?);
        }
        Ok(list)
    }

    fn expression(&mut self) -> Parsed<Expression> {
        self.deeper(Self::assignment)
    }

    fn assignment(&mut self) -> Parsed<Expression> {
        let left = self.conditional()?;
        let Token::Symbol(symbol) = self.token else { return Ok(left) };
        let operator = match symbol {
            "=" => None,
            "+=" | "-=" | "*=" | "/=" | "%=" | "^=" => symbol.bytes().next(),
            _ => return Ok(left),
        };
        if !matches!(left, Expression::Variable(_) | Expression::Field(_) | Expression::Element(..)) {
            return self.bad();
        }
        self.advance()?;
        self.skip_newlines()?;
        let right = self.expression()?;
        Ok(Expression::Assign(Box::new(left), operator, Box::new(right)))
    }

    fn conditional(&mut self) -> Parsed<Expression> {
        let condition = self.or()?;
        if !self.eat("?")? {
            return Ok(condition);
        }
        let then = self.expression()?;
        self.expect(":")?;
        let otherwise = self.expression()?;
        Ok(Expression::Conditional(Box::new(condition), Box::new(then), Box::new(otherwise)))
    }

    fn binary(left: Expression, operator: Operator, right: Expression) -> Expression {
        Expression::Binary(operator, Box::new(left), Box::new(right))
    }

    fn or(&mut self) -> Parsed<Expression> {
        let mut left = self.and()?;
        while self.eat("||")? {
            self.skip_newlines()?;
            left = Self::binary(left, Operator::Or, self.and()?);
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expression> {
        let mut left = self.membership()?;
        while self.eat("&&")? {
            self.skip_newlines()?;
            left = Self::binary(left, Operator::And, self.membership()?);
        }
        Ok(left)
    }

    fn membership(&mut self) -> Parsed<Expression> {
        let mut left = self.matching()?;
        while !self.no_in && self.at_word("in") {
            self.advance()?;
            let Token::Name(array) = self.advance()? else { return self.bad() };
            let index = match left {
                Expression::In(list, name) if name.is_empty() => list,
                other => vec![other],
            };
            left = Expression::In(index, array);
        }
        Ok(left)
    }

    fn matching(&mut self) -> Parsed<Expression> {
        let mut left = self.comparison()?;
        loop {
            let operator = if self.eat("~")? {
                Operator::Match
            } else if self.eat("!~")? {
                Operator::NoMatch
            } else {
                return Ok(left);
            };
            left = Self::binary(left, operator, self.comparison()?);
        }
    }

    fn comparison(&mut self) -> Parsed<Expression> {
        let left = self.concatenation()?;
        let operator = match self.token {
            Token::Symbol("<") => Operator::Less,
            Token::Symbol("<=") => Operator::LessOrEqual,
            Token::Symbol("==") => Operator::Equal,
            Token::Symbol("!=") => Operator::NotEqual,
            Token::Symbol(">") if !self.no_greater => Operator::Greater,
            Token::Symbol(">=") => Operator::GreaterOrEqual,
            _ => return Ok(left),
        };
        self.advance()?;
        Ok(Self::binary(left, operator, self.concatenation()?))
    }

    fn concatenation(&mut self) -> Parsed<Expression> {
        let mut left = self.sum()?;
        while self.starts_value() {
            left = Self::binary(left, Operator::Concatenate, self.sum()?);
        }
        Ok(left)
    }

    fn starts_value(&self) -> bool {
        match &self.token {
            Token::Number(_) | Token::Text(_) | Token::Function(_) => true,
            Token::Name(name) => name != "in" && name != "getline",
            Token::Symbol(symbol) => matches!(*symbol, "$" | "!" | "(" | "-" | "+" | "++" | "--"),
            _ => false,
        }
    }

    fn sum(&mut self) -> Parsed<Expression> {
        let mut left = self.product()?;
        while let Token::Symbol(symbol @ ("+" | "-")) = self.token {
            self.advance()?;
            left = Self::binary(left, Operator::Arithmetic(symbol.as_bytes()[0]), self.product()?);
        }
        Ok(left)
    }

    fn product(&mut self) -> Parsed<Expression> {
        let mut left = self.unary()?;
        while let Token::Symbol(symbol @ ("*" | "/" | "%")) = self.token {
            self.advance()?;
            left = Self::binary(left, Operator::Arithmetic(symbol.as_bytes()[0]), self.unary()?);
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Expression> {
        self.deeper(|parser| {
            if parser.eat("!")? {
                Ok(Expression::Not(Box::new(parser.unary()?)))
            } else if parser.eat("-")? {
                Ok(Expression::Negate(Box::new(parser.unary()?)))
            } else if parser.eat("+")? {
                parser.unary()
            } else {
                parser.power()
            }
        })
    }

    fn power(&mut self) -> Parsed<Expression> {
        let base = self.postfix()?;
        if self.eat("^")? {
            return Ok(Self::binary(base, Operator::Arithmetic(b'^'), self.unary()?));
        }
        Ok(base)
    }

    fn postfix(&mut self) -> Parsed<Expression> {
        let value = self.primary()?;
        if matches!(value, Expression::Variable(_) | Expression::Field(_) | Expression::Element(..)) {
            for (symbol, by) in [("++", 1.0), ("--", -1.0)] {
                if self.eat(symbol)? {
                    return Ok(Expression::Step { place: Box::new(value), by, post: true });
                }
            }
        }
        Ok(value)
    }

    fn primary(&mut self) -> Parsed<Expression> {
        match self.advance()? {
            Token::Number(number) => Ok(Expression::Number(number)),
            Token::Text(text) => Ok(Expression::Text(text)),
            Token::Regex(source) => {
                super::super::regex::extended(&source, false).map(Expression::Regex).ok_or_else(|| source.into())
            }
            Token::Symbol("$") => Ok(Expression::Field(Box::new(self.deeper(Self::primary)?))),
            Token::Symbol(step @ ("++" | "--")) => {
                let place = Box::new(self.deeper(Self::primary)?);
                Ok(Expression::Step { place, by: if step == "++" { 1.0 } else { -1.0 }, post: false })
            }
            Token::Symbol("-") => Ok(Expression::Negate(Box::new(self.deeper(Self::primary)?))),
            Token::Symbol("(") => self.group(),
            Token::Name(name) => self.named(name),
            Token::Function(name) => {
                self.advance()?;
                let saved = (std::mem::take(&mut self.no_greater), std::mem::take(&mut self.no_in));
                let arguments = if self.at(")") { Vec::new() } else { self.list()? };
                (self.no_greater, self.no_in) = saved;
                self.expect(")")?;
                Ok(Expression::Call(name, arguments))
            }
            other => Err(format!("{other:?}").into()),
        }
    }

    fn group(&mut self) -> Parsed<Expression> {
        let saved = (std::mem::take(&mut self.no_greater), std::mem::take(&mut self.no_in));
        let mut list = self.list()?;
        (self.no_greater, self.no_in) = saved;
        self.expect(")")?;
        match list.pop() {
            Some(only) if list.is_empty() => Ok(only),
            Some(last) => {
                // A list in parentheses, for `in` and `print`; told by the missing name of the array.
                list.push(last);
                Ok(Expression::In(list, String::new()))
            }
            None => self.bad(),
        }
    }

    fn named(&mut self, name: String) -> Parsed<Expression> {
        match name.as_str() {
            "length" => return Ok(Expression::Call(name, Vec::new())),
            "getline" => return Err(name.into()),
            _ => {}
        }
        if self.eat("[")? {
            let index = self.list()?;
            self.expect("]")?;
            return Ok(Expression::Element(name, index));
        }
        Ok(Expression::Variable(name))
    }
}
